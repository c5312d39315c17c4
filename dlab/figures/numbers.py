"""Numbers as a reader sees them: three significant digits, powers of ten below 10⁻³, a true minus, intervals as ±. Files for
machines have plain floats."""

import math
import re

NONE = "–"
Z95 = 1.96  # standard errors in a 95 % interval
RAISED = str.maketrans("-−0123456789", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(power: int) -> str:
    """10⁻⁴"""
    return f"10{str(power).translate(RAISED)}"


NAMES = {
    "m0": "m₀", "L0": "L₀", "M1": "M₁", "M2": "M₂", "m_min": "mₘᵢₙ", "L_max": "Lₘₐₓ", "ε_L": "ε⁽ᴸ⁾", "ε_M": "ε⁽ᴹ⁾",
    "L_F": "Lipschitz constant of H",  # plain text has no such subscript
}  # fmt: skip


FORMULAS = {
    "m0": "m_0", "L0": "L_0", "M1": "M_1", "M2": "M_2", "C1": "C_1", "C2": "C_2", "m_min": r"m_{\min}", "L_max": r"L_{\max}", "L_F": "L_F",
    "p_T": "p_T", "p_t": "p_t", "p_0": "p_0", "σ_T²": r"\sigma_T^2", "σ_t²": r"\sigma_t^2", "ε_sc": r"\varepsilon_{sc}",
    "ε_L": r"\varepsilon_L", "ε_M": r"\varepsilon_M",
}  # fmt: skip
_STEPS = re.compile(r"(?<=\bh = )\d+(?:\\?\.\d+)?(?:, \d+(?:\\?\.\d+)?)*")
_RAW = re.compile(r"(?<![\w$])(" + "|".join(name.replace("_", r"\\?_") for name in FORMULAS) + r")(?![\w$])")


def symbol(name: str) -> str:
    """The name of a constant with its subscript, as plain text."""
    return NAMES.get(name, name)


def in_markdown(text: str) -> str:
    """A note of a result as Markdown: its raw names as formulas, m0 as $m_0$, its step sizes as 1/64, with a true minus, before or after it
    was escaped."""
    text = _STEPS.sub(lambda found: ", ".join(step_size(float(h.replace(chr(92), ""))) for h in found[0].split(", ")), text)
    return _RAW.sub(lambda found: f"${FORMULAS[found[1].replace(chr(92), '')]}$", true_minus(text))


def true_minus(text: str) -> str:
    """The text, escaped for Markdown or not, with a true minus before its negative numbers."""
    return re.sub(r"(?<![\w.\\])\\?-(?=\d)", "−", text)


def typeset(text: str) -> str:
    """A note of a result as plain text: its raw names as symbols, and a true minus."""
    return true_minus(text).replace("m0", "m₀").replace("m_min", "mₘᵢₙ")


def signed(text: str) -> str:
    """The text of a number with a true minus."""
    return text.replace("-", "−")


def fixed(value: float | None, places: int = 2) -> str:
    """A slope with so many decimals, "−1.20", never "−0.00"; a dash for None."""
    return NONE if value is None else signed(f"{round(value, places) + 0.0:.{places}f}")


def chosen(value: float) -> str:
    """A number that somebody chose, as short as it is: 0.25, 4, 2×10⁻⁴."""
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return signed(f"{value:g}")
    digits, power = f"{value:e}".split("e")
    return f"{signed(digits.rstrip('0').rstrip('.'))}×{power_of_ten(int(power))}"


def number(value: float | None) -> str:
    """0.0123, 1.02, 16.2, 170, 2.50×10⁻⁴; a dash for None and for what is not finite."""
    if value is None or not math.isfinite(value):
        return NONE
    if value == 0:
        return "0"
    value = float(f"{value:.2e}")
    if 1e-3 <= abs(value) < 1e6:
        return signed(f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}")
    digits, power = f"{value:.2e}".split("e")
    return f"{signed(digits)}×{power_of_ten(int(power))}"


def interval(value: float | None, half: float | None) -> str:
    """value ± half, cut where the interval makes digits meaningless: "1.02 ± 0.02", "(1.7 ± 0.3)×10⁻⁴".

    An interval finer than the third digit is rounded up to it; a half of 0 or None leaves the value alone.
    """
    if value is None or not math.isfinite(value) or not half or not math.isfinite(half):
        return number(value)
    top = max(abs(value), half)
    if top < 1e-3:
        power = math.floor(math.log10(top))
        return f"({interval(value / 10**power, half / 10**power)})×{power_of_ten(power)}"
    lead = math.floor(math.log10(half))
    wanted = -lead + (half / 10**lead < 1.95)  # two digits of an interval that starts with 1
    room = 2 - math.floor(math.log10(top))
    places = max(0, min(wanted, room))
    half = math.ceil(half * 10**places - 1e-9) / 10**places if wanted > room else half
    return f"{fixed(value, places) if value else 0} ± {half:.{places}f}"


def estimate(row: dict, name: str = "w2", stderr: str = "stderr") -> str:
    """A number of a row with its 95 % interval, from its standard error."""
    return interval(row.get(name), Z95 * (row.get(stderr) or 0.0))


def about(value: float | None, low: float | None, high: float | None) -> str:
    """A fitted number with its interval, of which the width alone is shown; a dash where there is none."""
    half = None if low is None or high is None else abs(high - low) / 2
    return interval(value, half if half and half > 1e-6 else None)  # a smaller one is rounding


def ratio(value: float | None, by: float | None) -> str:
    """value ÷ by; a dash where there is none."""
    return number(value / by) if value and by else NONE


def step_size(h: float) -> str:
    """h as a power of two where it is one ("1/16", "2"), else with three digits."""
    power = math.log2(h)
    if abs(power - round(power)) < 1e-9:
        return f"1/{2 ** -round(power)}" if power < -0.5 else str(2 ** round(power))
    return f"{h:.3g}"


def size(row) -> float:
    """What the fits of a result are taken against: h, or 1/N of a row whose steps differ."""
    return 1 / row["steps"] if row["h"] is None else row["h"]


def size_text(row) -> str:
    """h of a row, or N where its steps differ."""
    return str(row["steps"]) if row["h"] is None else step_size(row["h"])


def place(*rows) -> str:
    """Points of a curve, "h = 1/8, 1/16" or "N = 8"."""
    return f"{'N' if rows[0]['h'] is None else 'h'} = {', '.join(map(size_text, rows))}"


def duration(seconds: float) -> str:
    """ "34 s", and from two minutes on "12 min"."""
    return f"{seconds:.0f} s" if seconds < 119.5 else f"{seconds / 60:.0f} min"


def order(value: float) -> str:
    """½ for 0.5, 1 for 1.0, 1½ for 1.5."""
    whole, half = divmod(value, 1)
    return f"{whole:g}" * (whole > 0) + "½" if half == 0.5 and value > 0 else f"{value:g}"


def listed(items) -> str:
    """a, b and c"""
    items = list(items)
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else ""


def constant(value: float | None, how: str) -> str | None:
    """A constant of a target, "∞" or "−∞" where `how` says so; None where it is unknown."""
    if value is not None:
        return number(value)
    return "−∞" if how.startswith("minus infinity") else "∞" if how.startswith("infinite") else None
