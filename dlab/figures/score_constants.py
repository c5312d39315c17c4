"""C2 and the share of the start against m0 and T, printed and integrated, from the answer `score_constants`."""

from dlab.figures.chart import INK, LESS, NEUTRAL, Curve, Sheet
from dlab.figures.numbers import number, ratio
from dlab.figures.plot import beside, even_axis, line, log_axis, plot

TOP = 10.0  # of the picture of C2
VOID = "∞"


def sheet(found: dict) -> Sheet:
    """C2 against m0, and the start's share against T at the target's m0."""
    parts = [constants(found), *([start(found)] if found["start"] else [])]
    return beside("Is m₀ > ½ needed?", parts, " ".join(p.alt for p in parts), sentence(found))


def constants(found: dict):
    rows = found["curve"]
    at = lambda r: r["m0"]  # noqa: E731
    curves = [
        Curve.of("integrated", rows, at, value=lambda r: r["integrated"], colours=LESS, dash="solid", label="integrated over t"),
        Curve.of("printed", [r for r in rows if r["printed"] and r["printed"] <= TOP], at, value=lambda r: r["printed"], colours=INK,
                 dash="dot", label="printed, 1/(mₘᵢₙ − ½)"),
        line("half", x=0.5, colours=NEUTRAL, key="m₀ = ½"),
    ]  # fmt: skip
    if own := found["own"]:
        curves.append(Curve("this target", (own["m0"],), (min(own["integrated"], TOP),), LESS, marker="circle", key="this target",
                            hover=(f"m₀ = {number(own['m0'])}\nC₂ = {number(own['integrated'])}",)))  # fmt: skip
    return plot("What a score error costs", log_axis("m₀", [r["m0"] for r in rows], (1.0, 1.0)), even_axis("C₂ = W₂ ÷ ε", 0.0, TOP), curves,
                says="The integrated constant is finite for every m₀, the printed one only above ½.")  # fmt: skip


def start(found: dict):
    rows = found["start"]
    at = lambda r: r["T"]  # noqa: E731
    curves = [
        Curve.of("integrated", rows, at, value=lambda r: r["integrated"], colours=LESS, dash="solid", label="integrated"),
        Curve.of("printed", rows, at, value=lambda r: r["printed"], colours=INK, dash="dot", label="printed, exp(−mₘᵢₙT)"),
    ]  # fmt: skip
    return plot("What is left of the start", even_axis("horizon T", 0.0, rows[-1]["T"]), "share of ‖X₀‖", curves,
                says=f"At m₀ = {number(found['own']['m0'])}.")  # fmt: skip


def sentence(found: dict) -> str:
    """The target's two constants."""
    own = found["own"]
    if own is None:
        return "This target has no positive m₀, so neither constant exists here."
    printed = f"the printed one is {number(own['printed'])}" if own["printed"] else "the printed one does not exist, as m₀ ≤ ½"
    return f"At this target's m₀ = {number(own['m0'])} a score error of level ε costs at most {number(own['integrated'])}·ε; {printed}."


def table(found: dict) -> list[dict]:
    """The quoted values, and the target's own."""
    rows = [*found["table"], *([found["own"]] if found["own"] else [])]
    return [
        {
            "m₀": number(r["m0"]) + (" (this target)" if r is found["own"] else ""), "integrated": number(r["integrated"]),
            "printed": number(r["printed"]) if r["printed"] else VOID, "printed ÷ integrated": ratio(r["printed"], r["integrated"]),
        }
        for r in rows
    ]  # fmt: skip
