"""The lesson's file: scenes as data, with the scripts and the style, in one page that requests nothing."""

import html
from functools import cache
from pathlib import Path

from dlab import __version__, grid, schemes
from dlab.cache import dumps

SCRIPTS = ("engine.js", "chart.js", "film.js", "lesson.js")
HERE = Path(__file__).parent


def document(scenes: list[dict], title: str = "How fast does a diffusion sampler converge?") -> str:
    """The page of scenes, plain values each (see `scene` in ui/lesson_file.py). Words in them are text, but for "answer", our HTML."""
    data = {
        "title": title,
        "version": __version__,
        "looks": {name: _look(scheme) for name, scheme in schemes.REGISTRY.items()},
        "families": schemes.FAMILIES,
        "grids": {
            name: {"title": m.title, "begins": m.begins, "settings": _defaults(m)} for name, m in grid.MAKERS.items() if name != "times"
        },
        "scenes": scenes,
    }
    # No "<" in it can end the script that it stands in.
    text = dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c").replace("\u2028", " ").replace("\u2029", " ")
    fields = {"TITLE": html.escape(title), "STYLE": _read("lesson.css"), "SCRIPTS": "\n".join(map(_read, SCRIPTS)), "DATA": text}
    before, *rest = _read("lesson.html").split("{{")
    return before + "".join(fields[key] + after for key, after in (piece.split("}}", 1) for piece in rest))


def _look(scheme) -> dict:
    s = scheme.style
    return {
        "title": scheme.title, "colours": [s.light, s.dark], "marker": s.marker, "dash": s.dash, "family": scheme.family,
        "evals": scheme.score_evals + scheme.hessian_evals,
    }  # fmt: skip


def _defaults(maker) -> dict:
    found = {key: default for key, (default, *_) in maker.settings.items()}
    return found | ({"last": "zero"} if maker.ends else {})


@cache
def _read(name: str) -> str:
    return (HERE / name).read_text("utf-8")
