"""What W2 of the first two moments does not see of a random midpoint, on a Gaussian target N(0, diag(v_1 .. v_d)), to leading order.

All coordinates of a particle share U. Given the U of all steps the law is N(0, diag V), and V is random through them: a step
moves V_i with U by 2 h^2 (U - 1/2) G(v_t), G declared by the scheme (`Scheme.midpoint_variance`), so that V has over U the covariance

    C_ij = h^3/3 int_0^T Phi_i^2 Phi_j^2 G_i G_j dt,      Phi_i(t) = (v_i / v_it) e^{-t/2}, v_it = 1 + (v_i - 1) e^{-t}.

The density of the mixture differs from that of N(0, E V) by 1/8 sum_ij C_ij d_ii d_jj p, Hermite polynomials of order four. They
are eigenfunctions of the Laplacian weighted by p and orthogonal to all that moves a variance, so squares add:

    W2^2 = W2(moments)^2 + excess^2,   excess^2 = sum_ij C_ij^2 / (16 v_i v_j (v_i + v_j)) + sum_i C_ii^2 / (16 v_i^3).

With equal variances that is C (d (d + 2) / 32)^{1/2} v^{-3/2}: of order d h^3 beside the d^{1/2} h^2 of the moments, so it takes
over once d^{1/2} h is about 1. It is never more than transport given U says, (sum_i C_ii / (4 v_i))^{1/2}, of order d^{1/2} h^{3/2}.
"""

import numpy as np

NODES, WEIGHTS = np.polynomial.legendre.leggauss(64)  # in time


def excess(scheme, values, counts, T: float, h: float) -> float | None:
    """For variances values (n,), each shared by counts (n,) coordinates, and the exact start; None where the scheme has no
    midpoint or declares no `midpoint_variance`."""
    if scheme.midpoint_variance is None:
        return None
    v, c = np.asarray(values, float), np.asarray(counts, float)
    t = (NODES[:, None] + 1) * T / 2
    at = 1 + (v - 1) * np.exp(-t)
    moved = (v / at) ** 2 * np.exp(-t) * scheme.midpoint_variance(at)
    C = h**3 / 3 * np.einsum("t,ti,tj->ij", WEIGHTS * T / 2, moved, moved)
    own = np.diag(C)
    square = c @ (C**2 / (16 * v[:, None] * v * (v[:, None] + v))) @ c + c @ (own**2 / (16 * v**3))
    return float(np.sqrt(max(0.0, min(square, c @ (own / (4 * v))))))
