"""Assumptions 1 to 7 of [YY] as a checklist: what each asks, whether a target and a score keep it, and by which number.

A number that was measured over a box is a lower end of the supremum that the assumption bounds: it can refute, not prove. The
last line, m0 > 1/2, is needed by every theorem and listed by none.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlab.targets import Fact, Facts

HOLDS, MEASURED, FAILS, UNKNOWN = "holds", "holds where measured", "fails", "unknown"


@dataclass(frozen=True)
class Assumption:
    """number: "1" ... "7", or "–" for what no assumption lists; title, words and latex state it; needed_by: the theorems.

    verdict: HOLDS (proven), MEASURED (true wherever it was looked at, not proven), FAILS or UNKNOWN
    values: (symbol, value or None, how it was obtained), so many as it has constants
    why: a sentence where the verdict needs one
    """

    number: str
    title: str
    words: str
    latex: str
    needed_by: tuple[str, ...]
    verdict: str
    values: tuple[tuple[str, float | None, str], ...]
    why: str = ""


def _verdict(facts) -> str:
    if any(f.infinite for f in facts):
        return FAILS
    if any(f.value is None for f in facts):
        return UNKNOWN
    return MEASURED if any(f.how.startswith("numerical") for f in facts) else HOLDS


def _values(**facts):
    return tuple((name, f.value, f.how) for name, f in facts.items())


def checklist(facts: "Facts", score: "Fact", midpoint: "Fact", hessian: "Fact", drift: "Fact") -> tuple[Assumption, ...]:
    """The list for a target's facts and the levels of the errors of s, of s at the midpoints, of L and of M (value None where
    a level is not known)."""
    m0, L0 = facts.m0, facts.L0
    curved = _verdict((m0, L0))
    why = ""
    if m0.value is not None and m0.value <= 0:
        # One point of negative curvature refutes it, however it was found.
        curved, why = FAILS, f"m0 = {m0.value:.3g} is not positive: the target is not {'strongly ' if m0.value == 0 else ''}log-concave."
        if L0.infinite:
            why += f" L0 is {L0.how}."
    elif L0.infinite:
        why = f"L0 is {L0.how}."
    elif curved == MEASURED:
        why = "A box of points shows no exception and proves nothing outside it."
    half, said = _verdict((m0,)), ""
    if m0.value is not None and m0.value <= 0.5:
        half, said = FAILS, f"m0 = {m0.value:.3g} ≤ ½: the theorems promise nothing."
    return (
        Assumption(
            "1", "p₀ strongly log-concave, its score Lipschitz",
            "The target is strongly log-concave and its score is Lipschitz.",
            r"m_0 I \preceq -\nabla^2\log p_0 \preceq L_0 I,\quad m_0 > 0", ("Theorem 1", "Theorem 3", "Theorem 4"), curved,
            _values(m0=m0, L0=L0), why,
        ),
        Assumption(
            "2", "score Lipschitz in time",
            "Within a step the score changes with time by at most a multiple of h, growing at most linearly in x.",
            r"|s(t,x) - s(t',x)| \le M_1\,h\,(1+|x|),\quad |t - t'| \le h", ("Theorem 1", "Theorem 3"), _verdict((facts.M1,)),
            _values(M1=facts.M1),
        ),
        Assumption(
            "3", "score error along the iterates",
            "The score used is close to the true one in L₂ along the scheme's own iterates, at every step.",
            r"\sup_n \|s^*(t_n, x_n) - s(t_n, x_n)\|_{L_2} \le \varepsilon", ("Theorem 1", "Theorem 4"), _verdict((score,)),
            _values(ε=score),
        ),
        Assumption(
            "4", "score error at the midpoints",
            "The same at the random midpoints of REM and REI, whatever U turns out to be.",
            r"\sup_{n,\,u} \|s^*(t_n - uh, y_u) - s(t_n - uh, y_u)\|_{L_2} \le \varepsilon", ("Theorem 3",), _verdict((midpoint,)),
            _values(ε=midpoint),
        ),
        Assumption(
            "5", "errors of SO's L and M",
            "SO's L and M are close to the true ones along its iterates.",
            r"\|L^* - L\|_{L_2} \le \varepsilon_L,\quad \|M^* - M\|_{L_2} \le \varepsilon_M", ("Theorem 4",),
            _verdict((hessian, drift)), _values(ε_L=hessian, ε_M=drift),
        ),
        Assumption(
            "6", "Hessian Lipschitz in x",
            "The Hessian is Lipschitz in x, at every time.", r"\|H(t,x) - H(t,y)\|_F \le L_F\,|x-y|", ("Theorem 4",),
            _verdict((facts.L_F,)), _values(L_F=facts.L_F),
        ),
        Assumption(
            "7", "Hessian Lipschitz in time",
            "Within a step the Hessian changes with time by at most a multiple of h, growing at most linearly in x.",
            r"\|H(t,x) - H(t_n,x)\| \le M_2\,h\,(1+|x|)", ("Theorem 4",), _verdict((facts.M2,)), _values(M2=facts.M2),
        ),
        Assumption(
            "–", "m₀ > ½, listed nowhere",
            "Listed nowhere, needed by every constant: the denominator m_min − ½ must be positive.",
            r"m_0 > \tfrac12", ("Theorem 1", "Theorem 3", "Theorem 4"), half, _values(m0=m0), said,
        ),
    )  # fmt: skip
