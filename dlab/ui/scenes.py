"""The prepared scenes: each opens a page with settings of its own, asks a question, and answers it from the numbers that the page
shows. Their words stand in `words/scenes.md`; the fields of an answer are made here."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from dlab import words
from dlab.figures.numbers import listed, number, order, step_size
from dlab.figures.tables import at_equal_cost, fit_of, local_slopes, rows_of, slope_text
from dlab.room.question import Part

GOAL = 0.1  # the W2 that the scene about the bound asks for


@dataclass(frozen=True)
class Guess:
    """What a room may say before it sees: the slopes of some schemes, or one of some options.

    schemes  those whose slope is guessed; else empty
    options  (text, ...) to choose from, and right(result) -> the one that is true, where the lab knows it
    number   the range of a number, in a lecturer's own question
    """

    schemes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    right: Callable[[dict], str] | None = None
    number: Part | None = None


def slopes_of(*names: str) -> Guess:
    """A guess of slopes."""
    return Guess(schemes=names)


def one_of(right: Callable[[dict], str], *options: str) -> Guess:
    """A guess of one option."""
    return Guess(options=options, right=right)


def nearest(value: Callable[[dict], float], *numbers: float) -> Guess:
    """A guess of a positive number, from some that are a factor apart: the one nearest to the true one is right."""
    texts = {order(n): n for n in numbers}
    return Guess(options=tuple(texts), right=lambda found: min(texts, key=lambda t: abs(math.log(value(found) / texts[t]))))


@dataclass(frozen=True)
class PreparedScene:
    """A question and where it opens.

    settings  those that differ from the defaults (address-bar keys)
    numbers   {field of its answer: text} of a result file's object, or on the particles page of a movie's words and distances
    guess     what a viewer may guess before the picture appears; None where it is seen at once and its answer alone waits
    """

    name: str
    page: str
    settings: dict
    numbers: Callable[[dict], dict]
    guess: Guess | None = None

    @property
    def question(self) -> str:
        return words.title("scenes", self.name)

    @property
    def text(self) -> str:
        """One line that says what is shown and gives no answer away."""
        return words.text("scenes", self.name)

    @property
    def asks(self) -> str:
        """What is to be guessed."""
        return words.text("scenes", f"{self.name}-guess")

    def answer(self, shown: dict) -> str:
        return words.text("scenes", f"{self.name}-answer", **self.numbers(shown))


def _finest(result, scheme) -> dict:
    return rows_of(result, scheme)[-1]


def _slopes(result, *schemes) -> dict:
    return {f"{s}_slope": slope_text(fit_of(result, s)) for s in schemes}


def _moving(meta) -> dict:
    """The number of steps, and the last distance of each scheme."""
    table = meta["table"]
    return {"steps": table["n"][-1], **{s: number(table[s][-1]) for s in table if s not in ("n", "t")}}


def _halving(result) -> dict:
    """By how much each error falls when h halves."""
    return _slopes(result, "EM", "SO") | {s: number(2 ** fit_of(result, s)["slope"]) for s in ("EM", "SO")}


def _bound(result) -> dict:
    row, fit, T = _finest(result, "EM"), fit_of(result, "EM"), result["study"]["T"]
    promised = T * 2 * (fit["theory_c1"] / GOAL) ** 2  # EM's bound is C1 √(d h), with d = 2
    return {
        "h": step_size(row["h"]), "bound": number(row["bound"]), "w2": number(row["w2"]), "times": f"{row['bound'] / row['w2']:.0f}",
        "promised": f"{promised:,.0f}", "goal": f"{GOAL:g}", "needed": f"{T * (fit['constant'] / GOAL) ** (1 / fit['slope']):.0f}",
    }  # fmt: skip


def _exponential(result) -> dict:
    worse = [a["w2"] / b["w2"] for a, b in zip(rows_of(result, "EI"), rows_of(result, "EM"))]
    fine = {s: _finest(result, s) for s in ("EI", "EM")}
    return {
        "least": number(min(worse)), "most": number(max(worse)), **_slopes(result, *fine), "h": step_size(fine["EM"]["h"]),
        **{f"{s}_bound": number(row["bound"]) for s, row in fine.items()},
    }  # fmt: skip


def _floor(result) -> dict:
    em, so = _finest(result, "EM"), _finest(result, "SO")
    return {
        "EM": number(em["w2"]), "SO": number(so["w2"]), "h": step_size(em["h"]), "score": number(em["bound_parts"]["score"]),
        "times": number(so["w2"] / result["study"]["score_error"]["level"]),
    }  # fmt: skip


def _evaluations(result) -> dict:
    most, rows = at_equal_cost(result)
    reached = {name: number(rows[name]["w2"]) for name in ("REM", "REI", "SO")}
    return {"most": most, "times": number(rows["SO"]["w2"] / rows["REM"]["w2"]), **reached}


def _best_at_equal_cost(result) -> str:
    _, rows = at_equal_cost(result)
    return min(rows, key=lambda s: rows[s]["w2"])


def _void(result) -> dict:
    return {"m0": number(-result["facts"]["m0"]), **_slopes(result, "EM", "SO")}


def _bend(result) -> dict:
    rows = rows_of(result, "SO")
    slopes = local_slopes(rows)
    said = [
        f"{slope:.2f} between $h$ = {step_size(a['h'])} and {step_size(b['h'])}"
        for slope, (a, b) in ((slopes[0], rows[:2]), (slopes[-1], rows[-2:]))
    ]
    return {"slopes": listed(said), "order": order(fit_of(result, "SO")["theory_order"])}


SCENES = (
    PreparedScene("watch", "particles",
                  {"target": "skew", "panels": "EM,SO", "step": "1", "moving": "1000", "play": "1"}, _moving),
    PreparedScene("halving", "convergence",
                  {"target": "gaussian", "schemes": "EM,SO", "h": "0.5..0.015625"}, _halving, slopes_of("EM", "SO")),
    PreparedScene("bound", "convergence",
                  {"target": "logistic", "lam": "1", "spread": "4", "schemes": "EM", "h": "0.5..0.015625", "brackets": "never"},
                  _bound, nearest(lambda r: (f := _finest(r, "EM"))["bound"] / f["w2"], 1, 3, 10, 30, 100, 300, 1000)),
    PreparedScene("exponential", "convergence",
                  {"target": "skew", "schemes": "EM,EI", "h": "0.5..0.015625"}, _exponential,
                  one_of(lambda r: "EI" if _finest(r, "EI")["w2"] < _finest(r, "EM")["w2"] else "EM", "EM", "EI")),
    PreparedScene("floor", "convergence",
                  {"target": "gaussian", "schemes": "EM,SO", "h": "0.5..0.0078125", "error": "constant", "e_level": "0.1"},
                  _floor, nearest(lambda r: _finest(r, "SO")["w2"], 0.001, 0.01, 0.1, 1)),
    PreparedScene("evaluations", "convergence",
                  {"target": "skew", "schemes": "REM,REI,SO", "h": "0.5..0.015625", "x": "evals", "bounds": "0"}, _evaluations,
                  one_of(_best_at_equal_cost, "REM", "REI", "SO")),
    PreparedScene("void", "convergence",
                  {"target": "mixture", "sep": "3", "schemes": "EM,SO", "h": "0.5..0.015625"}, _void,
                  one_of(lambda r: "yes" if min(fit_of(r, s)["slope"] for s in ("EM", "SO")) > 0.5 else "no", "yes", "no")),
    PreparedScene("bend", "convergence",
                  {"target": "skew", "c": "4", "k": "4", "schemes": "SO", "h": "0.5..0.015625", "bounds": "0"}, _bend,
                  nearest(lambda r: local_slopes(rows_of(r, "SO"))[0], 0.5, 1, 1.5, 2)),
    PreparedScene("too-far", "particles",
                  {"target": "gaussian", "k1": "8", "k2": "0.8", "panels": "EM,SO", "step": "0.5", "moving": "1000", "play": "1"}, _moving,
                  nearest(lambda meta: meta["table"]["EM"][-1] / meta["table"]["SO"][-1], 1, 2, 4, 8)),
)  # fmt: skip
BY_NAME = {scene.name: scene for scene in SCENES}
