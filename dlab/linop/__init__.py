"""Functions f(A) of a symmetric operator A: by its eigenvalues where they are at hand, by products with it elsewhere."""

from dlab.linop.functions import HALF, ZERO, Dense, Diagonal, Operator, Scalar, eigenvalues2, legendre, phi1, phi2
from dlab.linop.products import Products, Residual

__all__ = [
    "HALF",
    "ZERO",
    "Dense",
    "Diagonal",
    "Operator",
    "Products",
    "Residual",
    "Scalar",
    "eigenvalues2",
    "legendre",
    "phi1",
    "phi2",
]
