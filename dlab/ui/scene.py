"""The settings in force: what pages declare their studies and draw their pictures from. No streamlit here."""

from collections.abc import Iterator, Mapping

from dlab.study import Study
from dlab.ui import studies


class Scene(Mapping):
    """{setting: value}, frozen; `scene["h"]` and `scene.h` are the same.

    Settings of one page alone are keyed "<page>.<name>", knobs of targets and errors "<target>.<name>", and every setting
    has a value at all times. `scene | {...}` is another scene.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping):
        object.__setattr__(self, "_values", dict(values))

    def __getitem__(self, name: str):
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str):
        if name.startswith("_") or name not in self._values:
            raise AttributeError(f"a scene has no setting {name!r}")
        return self._values[name]

    def __setattr__(self, name, value):
        raise AttributeError(f"a scene is frozen; use scene | {{{name!r}: ...}}")

    def __or__(self, changed: Mapping) -> "Scene":
        return Scene({**self._values, **changed})

    def __repr__(self) -> str:
        return f"Scene({self._values!r})"

    def study(self, **changed) -> Study:
        """The study of the scene, with some of its file's values changed; BadInput where settings contradict each other."""
        return studies.study(self, **changed)

    def stretch(self, name: str) -> list[float]:
        """The values that a setting with two ends stands for; of "h" those of a study file where it gave its own."""
        return studies.stretch(self, name)

    def vary(self, name: str) -> dict:
        """The study file's `vary` of a setting with two ends."""
        return studies.vary(self, name)
