"""The error of a score as an error of the denoised point, which networks that predict x0 or eps are judged by.

x0(t, x) = E[X_0 | X_t = x] = e^{t/2} (x + sigma_t^2 s(t, x)), so a score that is wrong by e is a denoiser that is wrong by
e^{t/2} sigma_t^2 e = tau_t alpha_t e, tau = e^t - 1 and alpha = e^{-t/2}.
"""

import numpy as np


def factor(t):
    """tau_t alpha_t = 2 sinh(t/2), of the shape of t >= 0."""
    return 2 * np.sinh(np.asarray(t, float) / 2)


def levels(t, values, stderr, since: float = 0.0) -> dict:
    """L2 levels of the score error at times t (N,) and their standard errors, as those of the denoiser: {"value", "stderr": (N,), "top",
    "top_stderr", "top_t": where it is largest, "average": root mean square over the times from `since` on}."""
    t = np.asarray(t, float)
    value, error = factor(t) * np.asarray(values), factor(t) * np.asarray(stderr)
    i = int(np.argmax(value))
    return {
        "value": value.tolist(), "stderr": error.tolist(), "top": float(value[i]), "top_stderr": float(error[i]), "top_t": float(t[i]),
        "average": float(np.sqrt(np.mean(value[t >= min(since, t.max())] ** 2))),
    }  # fmt: skip
