"""What can be said of W2 without running anything.

assumptions Assumptions 1 to 7 as a checklist
leading     the theorems of [YY]: leading terms, their three contributions apart
curvature   how log-concave p_t is: m(t), L(t) and their integrals
recursion   the recursion behind Theorem 1, a bound that can be checked
sharp       a bound of order h for EM with every constant, proved here
expansion   the leading coefficient of W2 in h on Gaussian targets
cost        what an error of the score costs the law on Gaussian targets
budget      T, h and N that the theorems ask for to reach an accuracy
"""

from dlab.theory.assumptions import FAILS, HOLDS, MEASURED, UNKNOWN, Assumption, checklist
from dlab.theory.budget import Plan, plan
from dlab.theory.cost import Costs, coupled_noise
from dlab.theory.cost import gaussian as costs
from dlab.theory.cost import hessian as hessian_cost
from dlab.theory.expansion import integrals, leading_coefficient
from dlab.theory.leading import NO_THEOREM, VOID_M0, Bound, Constants, bound
from dlab.theory.recursion import Recursion, recursion
from dlab.theory.sharp import limit as sharp_limit
from dlab.theory.sharp import sharp

__all__ = [
    "FAILS",
    "HOLDS",
    "MEASURED",
    "NO_THEOREM",
    "UNKNOWN",
    "VOID_M0",
    "Assumption",
    "Bound",
    "Constants",
    "Costs",
    "Plan",
    "Recursion",
    "bound",
    "checklist",
    "costs",
    "coupled_noise",
    "hessian_cost",
    "integrals",
    "leading_coefficient",
    "plan",
    "recursion",
    "sharp",
    "sharp_limit",
]
