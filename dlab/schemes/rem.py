"""REM, the randomised midpoint Euler-Maruyama scheme ([YY] sec. 3.2, Theorem 3)."""

import math

from dlab.field import drift
from dlab.look import Style
from dlab.noise import Integral
from dlab.schemes.base import Scheme, Theorem
from dlab.schemes.formula import Formula, digits
from dlab.theory import Constants


def parts(field, t, t_next, x, noise):
    h, u = t - t_next, noise.u
    early, whole = noise.draw(Integral(u=u), Integral())
    y = x + u * h * drift(field, t, x) + early
    return {"drift": h * drift(field, t - u * h, y), "noise": whole, "midpoint": y}


def constants(m_min, L_max, L_F, d, h):
    gap = m_min - 0.5
    # As printed; the 1/(2 sqrt 3) lacks a sqrt d in the proof, see `footnote`.
    c1 = (math.sqrt(d / 3) * L_max + 1 / (2 * math.sqrt(3))) / gap
    consistent = math.sqrt(d / 3) * (L_max + 0.5) / gap
    return Constants(
        c1=c1,
        h_factor=math.sqrt(h),
        c2=3 / gap,
        footnote="REM: the printed C1 is shown; its 1/(2√3) lacks a factor √d in the proof. "
        f"The consistent constant √(d/3)(L_max + ½)/(m_min − ½) is {consistent:.3g}.",
    )


THEOREM = Theorem(
    "Theorem 3", 0.5, constants,
    printed=(
        r"\frac{\sqrt{d/3}\,L_{\max}+\frac{1}{2\sqrt3}}{m_{\min}-\frac12}",
        r"\sqrt h", r"\frac{3}{m_{\min}-\frac12}",
    ),
)  # fmt: skip

SCHEME = Scheme(
    name="REM",
    title="Randomised midpoint (Euler)",
    family="paper",
    parts=parts,
    score_evals=2,
    randomised=True,
    strong_order=1.0,
    law_order=2.0,
    formula=Formula(
        (
            r"\midpoint{y} = x + \midpoint{«Uh»\,\gamma(t_n, x)} + \noise{«I(0,U)»}",
            r"x^+ = x + \drift{«h»\,\gamma(t_n - «Uh», \midpoint{y})} + \noise{«I(0,1)»}",
        ),
        {
            "Uh": lambda h: rf"{digits(h)}\,U",
            "I(0,U)": lambda h: rf"{digits(math.sqrt(h))}\,\sqrt{{U}}\,Z_1",
            "I(0,1)": lambda h: rf"{digits(math.sqrt(h))}\,(\sqrt{{U}}\,Z_1 + \sqrt{{1-U}}\,Z_2)",
        },
    ),
    style=Style(light="#E0591A", dark="#F2602B", marker="triangle-up", dash="solid"),
    theorem=THEOREM,
)
