"""The widget that Jupyter, VS Code, Colab and marimo draw: the app's player in front of the curve, by anywidget."""

from typing import TYPE_CHECKING

import anywidget
import traitlets

from dlab.cache import dumps
from dlab.export.film import PLAYER

if TYPE_CHECKING:
    from dlab.notebook.picture import Curve, Motions


def _script() -> str:
    """The player's script behind what it is made of, with the adapter in the place of Streamlit."""
    clouds, player, body, style = (PLAYER.joinpath(f).read_text("utf-8") for f in ("clouds.js", "player.js", "player.html", "player.css"))
    adapter = (PLAYER.parent / "notebook" / "widget.js").read_text("utf-8")
    consts = f"const BODY = {dumps(body)}, STYLE = {dumps(style)};"
    return "\n".join([clouds, player.replace("export default function mount", "function mount"), consts, adapter])


class Widget(anywidget.AnyWidget):
    """packet: bytes in, what the player shows (`figures.movie.packet`), none where there are no particles. curve: the picture, as HTML.
    h: out, the step size on which the player's slider has come to rest; None until it moves."""

    _esm = _script()
    packet = traitlets.Bytes(b"").tag(sync=True)
    curve = traitlets.Unicode("").tag(sync=True)
    h = traitlets.Float(None, allow_none=True).tag(sync=True)

    def __init__(self, curve: "Curve", motions: "Motions | None"):
        super().__init__(curve=curve.html, packet=motions.first() if motions else b"")
        self._curve, self._motions = curve, motions

    @traitlets.observe("h")
    def _climb(self, change) -> None:
        """The other step sizes, all at once, when the first one is asked for."""
        motions, self._motions = self._motions, None
        if motions:
            self.packet = motions.ladder()

    def __repr__(self) -> str:
        return repr(self._curve)

    def _repr_mimebundle_(self, **asked):
        found = super()._repr_mimebundle_(**asked)
        if not found:
            return found
        data, about = found if isinstance(found, tuple) else (found, {})
        # What draws no widget, as GitHub, shows the curve.
        return {**data, "image/svg+xml": self._curve.svg, "text/plain": repr(self._curve)}, about
