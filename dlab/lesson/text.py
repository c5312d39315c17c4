"""Sentences of the lab as HTML. Everything is escaped first: what a stranger wrote stays text."""

import html
import re

from dlab.figures.numbers import true_minus

_SYMBOLS = {
    r"\varepsilon": "ε", r"\epsilon": "ϵ", r"\gamma": "γ", r"\lambda": "λ", r"\kappa": "κ", r"\sigma": "σ", r"\times": "×", r"\infty": "∞",
    r"\min": "min", r"\max": "max", r"\to": "→", r"\,": " ", "-": "−",
}  # fmt: skip


def of_markdown(source: str) -> str:
    """HTML of a text with **bold** and $formulas$ of one line, a paragraph for each blank line."""
    parts = [p.strip() for p in source.split("\n\n")]
    return "".join(f"<p>{_inline(p)}</p>" for p in parts if p)


def _inline(source: str) -> str:
    pieces = re.split(r"(\$[^$]*\$)", source)
    return "".join(_formula(p[1:-1]) if p.startswith("$") and len(p) > 1 else _bold(p) for p in pieces)


def _bold(source: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(source))


def _formula(source: str) -> str:
    for name, symbol in _SYMBOLS.items():
        source = source.replace(name, symbol)
    source = html.escape(source)
    for mark, tag in (("_", "sub"), ("^", "sup")):
        source = re.sub(rf"\{mark}(?:\{{([^}}]*)\}}|(\w|\*))", lambda m, tag=tag: f"<{tag}>{m[1] or m[2]}</{tag}>", source)
    # A letter alone is a variable; what stands between < and > are our own tags.
    source = re.sub(r"(<[^>]*>)|&\w+;|\b([A-Za-zϵεγλκσ])\b", lambda m: f"<i>{m[2]}</i>" if m[2] else m[0], source)
    return source.replace("{", "").replace("}", "")


_POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def pretty(source: str) -> str:
    """Numbers of the lab as a reader wants them: 2.5e-4 as 2.5×10⁻⁴, with a true minus, each on one line."""
    source = re.sub(r"(?<=[\d)])e(-?\d+)\b", lambda m: f"×10{m[1].translate(_POWERS)}", source)
    source = true_minus(source)
    return re.sub(r" ([±=÷]) ", "\u00a0\\1\u00a0", source)  # no line breaks there
