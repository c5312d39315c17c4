"""The leading coefficient of W2 in h on a Gaussian target, exact start: W2 = K h^p + o(h^p), p the scheme's order.

Along an eigenvector of the covariance the law stays Gaussian. With v the variance of p_0 there, v_t = 1 + c e^{-t}, c = v - 1,
the drift's slope is A = 1/2 - 1/v_t, the exact variance obeys V' = 2 A V + 1 in reverse time, and an error made at time t reaches
t = 0 multiplied by Phi = (v / v_t) e^{-t/2} (its square for variances). A scheme adds a defect h^{p+1} D(t) in each step:

    EM   variance -(A^2 v_t + A' v_t + A) = 1/v_t - 1/2 - v_t/4     mean -a mu / 8
    EI   variance 1/v_t - 1/2                                       mean 0
    SO   variance -(2/3) (v_t - 1) / v_t^2                          mean -a mu / (24 v_t)

and the integrals of Phi^2 D and Phi D in w = e^{-t} are combinations of J_k = int_{e^{-T}}^1 (1 + c w)^{-k} dw. To first order
W2^2 is the sum over eigenvectors of (dV / (2 sqrt v))^2 + dm^2.
"""

import numpy as np


def integrals(v, T: float) -> tuple:
    """J_1, J_2, J_3, J_4 for variances v > 0, each of v's shape; nothing cancels where v is near 1."""
    v = np.asarray(v, float)
    c, w = v - 1, np.exp(-T)
    a, b, gap = v, 1 + c * w, 1 - w
    ratio = c * gap / b
    with np.errstate(invalid="ignore", divide="ignore"):
        first = np.where(np.abs(c) > 1e-12, np.log1p(ratio) / c, gap)
    second = gap / (a * b)
    third = gap * (a + b) / (2 * (a * b) ** 2)
    fourth = gap * (a**2 + a * b + b**2) / (3 * (a * b) ** 3)
    return first, second, third, fourth


def leading_coefficient(scheme, values, mean, T: float) -> float | None:
    """K for variances `values` (d,) and the mean's coordinates `mean` (d,) along the same eigenvectors; None where the
    scheme declares no expansion."""
    if scheme.expansion is None:
        return None
    v, mu = np.asarray(values, float), np.asarray(mean, float)
    variance, shift = scheme.expansion(v, *integrals(v, T))
    return float(np.sqrt(np.sum((variance / (2 * np.sqrt(v))) ** 2 + (shift * mu) ** 2)))
