"""Ways to lay the times of a run: every noise schedule with a grid in its own time is one of them.

A linear schedule x = alpha X_0 + sigma xi is the lab's process at t = log(1 + (sigma/alpha)^2), so a maker needs nothing but its own
parameter as a function of t: its grids are uniform in it. Below, sigma stands for sigma/alpha, tau for its square.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

SIGMA_MAX, SIGMA_MIN = 80.0, 0.002  # of k-diffusion
ENDS = ("zero", "sigma_min")
Range = tuple[float, float, float]


@dataclass(frozen=True)
class Maker:
    """One line of the registry.

    formula       of its parameter p, in LaTeX
    parameter(t, **settings) -> p, monotone in t        time(p, **settings) -> t, for complex p too: the clock is its derivative
    settings      its numbers, {key: (default, lowest, highest)}
    begins        the setting that says where it starts: "T", "sigma_max", or "" where the schedule itself does, see `first`
    ends          the setting that says where it ends before 0, "" where it reaches 0
    first(**settings) -> the time at which it starts, where `begins` is ""
    """

    title: str
    formula: str
    parameter: Callable
    time: Callable
    settings: dict[str, Range] = field(default_factory=dict, hash=False)
    begins: str = "sigma_max"
    ends: str = ""
    first: Callable[..., float] | None = None


def time_of(sigma):
    """t of sigma/alpha."""
    return np.log1p(np.square(sigma))


def sigma_of(t):
    """sigma/alpha of t."""
    return np.sqrt(np.expm1(t))


# Of p, which may be complex: NumPy's log1p and expm1 take complex numbers.
def _vp_linear(p, beta_min, beta_max, **_):
    return beta_min * p + (beta_max - beta_min) * p * p / 2


def _vp_linear_inverse(t, beta_min, beta_max, **_):
    return 2 * t / (beta_min + np.sqrt(beta_min**2 + 2 * (beta_max - beta_min) * t))


def _elbow(T):
    """Where the arithmetic half of AVD's grid ends and the geometric one begins."""
    return min(1.0, T / 2)


def _geometric(p, T, delta, **_):
    low = _elbow(T)
    late = low * np.exp((2 * p - 1) * math.log(delta / low))
    return np.where(np.real(p) < 0.5, T - 2 * p * (T - low), late)


def _geometric_inverse(t, T, delta, **_):
    low = _elbow(T)
    return np.where(t > low, (T - t) / (2 * (T - low)), 0.5 + np.log(low / np.maximum(t, 1e-300)) / (2 * math.log(low / delta)))


_BETAS = {"beta_min": (0.1, 1e-4, 10.0), "beta_max": (20.0, 0.1, 100.0)}
_START = {"sigma_max": (SIGMA_MAX, 0.1, 1e4)}
_STOP = {"sigma_min": (SIGMA_MIN, 1e-5, 1.0)}
_SCALE = {"v": (1.0, 1e-4, 1e4)}

MAKERS: dict[str, Maker] = {
    "uniform": Maker("Uniform in t", "t", lambda t, **_: t, lambda p, **_: p, begins="T"),
    "quadratic": Maker("Quadratic", r"\sqrt t", lambda t, **_: np.sqrt(t), lambda p, **_: p * p, begins="T"),
    "log-snr": Maker(
        "Uniform in log-SNR", r"\log\sigma", lambda t, **_: np.log(sigma_of(t)), lambda p, **_: np.log1p(np.exp(2 * p)),
        _START | _STOP, ends="sigma_min",
    ),
    "karras": Maker(
        "Karras (EDM)", r"\sigma^{1/\rho}", lambda t, rho, **_: sigma_of(t) ** (1 / rho),
        lambda p, rho, **_: np.log1p(p ** (2 * rho)), _START | _STOP | {"rho": (7.0, 1.0, 100.0)}, ends="sigma_min",
    ),
    "vp-linear": Maker(
        "Linear VP (DDPM)", r"s:\ t = \beta_{\min}s + \tfrac12(\beta_{\max}-\beta_{\min})s^2", _vp_linear_inverse, _vp_linear,
        _BETAS, begins="", first=lambda **betas: _vp_linear(1.0, **betas),
    ),
    "vp-cosine": Maker(
        "Cosine VP", r"s:\ \sigma = \tan(\pi s/2)", lambda t, **_: np.arctan(sigma_of(t)), lambda p, **_: -2 * np.log(np.cos(p)), _START,
    ),
    "sub-vp": Maker(
        "Sub-VP", r"s:\ \sigma = 2\sinh(B(s)/2)", lambda t, **betas: _vp_linear_inverse(2 * np.arcsinh(sigma_of(t) / 2), **betas),
        lambda p, **betas: np.log1p((2 * np.sinh(_vp_linear(p, **betas) / 2)) ** 2),
        _BETAS, begins="", first=lambda **betas: float(time_of(2 * math.sinh(_vp_linear(1.0, **betas) / 2))),
    ),
    "flow": Maker(
        "Flow matching", r"s:\ \sigma = s/(1-s)", lambda t, **_: sigma_of(t) / (1 + sigma_of(t)),
        lambda p, **_: np.log1p((p / (1 - p)) ** 2), _START,
    ),
    "geometric": Maker(
        "Arithmetic, then geometric", r"\text{half of the steps down to } t = 1,\ \text{then } \log t", _geometric_inverse, _geometric,
        {"delta": (1e-4, 1e-8, 0.5)}, begins="T", ends="delta",
    ),
    "tangent": Maker(
        "Tangent", r"\arctan(\sigma/\sqrt v)", lambda t, v, **_: np.arctan(sigma_of(t) / math.sqrt(v)),
        lambda p, v, **_: np.log1p(v * np.tan(p) ** 2), _START | _SCALE,
    ),
    "inverse-root": Maker(
        "Inverse square root", r"(v+\sigma^2)^{-1/2}", lambda t, v, **_: (v + np.expm1(t)) ** -0.5,
        lambda p, v, **_: np.log1p(p**-2 - v), _START | _SCALE,
    ),
    "cubic": Maker(
        "Cubic", r"\Big(\frac{m_0\sigma^2}{1+m_0\sigma^2}\Big)^{1/3}", 
        lambda t, m0, **_: (m0 * np.expm1(t) / (1 + m0 * np.expm1(t))) ** (1 / 3),
        lambda p, m0, **_: np.log1p(p**3 / (m0 * (1 - p**3))), _START | {"m0": (1.0, 1e-4, 1e4)},
    ),
    "times": Maker("Your own times", "", lambda t, **_: t, lambda p, **_: p, begins=""),
}  # fmt: skip
