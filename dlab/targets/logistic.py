"""Posterior of penalised logistic regression with two features ([YY] sec. 6).

f(theta) = lam |theta|^2/2 + mean_i log(1 + exp(-y_i x_i . theta)), p_0 ~ exp(-f), y_i = +-1.
L0 = lam + lambda_max(X^T X / n)/4 keeps the 1/4 of the logistic Hessian, which the paper drops.
"""

import csv
import io
import math
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from dlab import params
from dlab.params import BadInput, Knob
from dlab.targets.base import Fact, TargetEntry
from dlab.targets.quadrature_target import QuadratureTarget


@partial(jax.tree_util.register_dataclass, data_fields=["signed", "lam"], meta_fields=[])
@dataclass(frozen=True)
class LogisticDensity:
    """signed: y_i x_i, (m, 2); lam: the penalty."""

    signed: jax.Array
    lam: jax.Array

    def __call__(self, theta):
        loss = jnp.mean(jax.nn.softplus(-theta @ self.signed.T), -1)
        return -self.lam * jnp.sum(theta**2, -1) / 2 - loss


def from_spec(spec: dict) -> QuadratureTarget:
    params.only_keys("target", spec, ("name", "x", "y", "lam"))
    params.require("target", spec, ("x", "y", "lam"))
    if isinstance(spec["x"], (list, tuple)) and len(spec["x"]) > params.MAX_DATA_ROWS:
        raise BadInput(f"target.x has {len(spec['x'])} rows; the limit is {params.MAX_DATA_ROWS}.")
    x = np.asarray(params.array("target.x", spec["x"], (-1, 2)))
    y = np.asarray(params.array("target.y", spec["y"], (len(x),)))
    if not set(np.unique(y)) <= {-1.0, 1.0}:
        wrong = next(v for v in y if v not in (-1.0, 1.0))
        raise BadInput(f"target.y holds {wrong:g}; give labels 1 and -1.")
    lam = params.number("target.lam", spec["lam"], above=1e-3, high=1e4)
    signed = y[:, None] * x
    top = float(np.linalg.eigvalsh(x.T @ x / len(x))[-1])
    density = LogisticDensity(jnp.asarray(signed), jnp.asarray(lam))
    return QuadratureTarget(density, Fact(lam, "proven bound"), Fact(lam + top / 4, "proven bound"))


def synthetic(rows: int, spread: float, seed: int) -> tuple[list, list]:
    """`rows` features from N(0, spread^2 I) with labels drawn from the logistic model at a random
    unit parameter, both classes present; rounded so that a study file stays short."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * math.pi)
    while True:
        x = np.round(rng.normal(0, spread, (rows, 2)), 4)
        chance = 1 / (1 + np.exp(-x @ [math.cos(angle), math.sin(angle)]))
        y = np.where(rng.uniform(size=rows) < chance, 1, -1)
        if len(set(y)) == 2:
            return x.tolist(), y.tolist()


def read_csv(data: bytes) -> tuple[list, list]:
    """Features and +-1 labels from an uploaded CSV with columns x1, x2, y (y: 1/-1 or 1/0).

    BadInput names the line, the value and what was expected.
    """
    try:
        lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"The file is not a text CSV ({error}); give UTF-8 text with columns x1,x2,y.") from None
    rows = [(i, [c.strip() for c in line]) for i, line in enumerate(lines, 1) if any(c.strip() for c in line)]
    if not rows:
        raise BadInput("The CSV is empty; give columns x1,x2,y with a row for each observation.")
    header = [c.lower() for c in rows[0][1]]
    order = [0, 1, 2]
    if not _is_number(rows[0][1][0]):
        missing = [c for c in ("x1", "x2", "y") if c not in header]
        if missing:
            raise BadInput(
                f"The CSV header {params.show(','.join(header))} lacks {missing[0]}; name the columns x1,x2,y."
            )
        order = [header.index(c) for c in ("x1", "x2", "y")]
        rows = rows[1:]
    if not rows:
        raise BadInput("The CSV has a header and no rows; add a row for each observation.")
    if len(rows) > params.MAX_DATA_ROWS:
        raise BadInput(f"The CSV has {len(rows)} rows; the limit is {params.MAX_DATA_ROWS}.")
    x, y = [], []
    for line, cells in rows:
        if len(cells) <= max(order):
            raise BadInput(f"Line {line} of the CSV has {len(cells)} columns; give x1,x2,y in every line.")
        v = [_cell(f"Line {line}, column {c}", cells[j]) for c, j in zip(("x1", "x2", "y"), order)]
        if v[2] not in (-1.0, 0.0, 1.0):
            raise BadInput(f"Line {line} of the CSV has the label {cells[order[2]]}; give 1 and -1 (or 1 and 0).")
        x.append(v[:2])
        y.append(v[2])
    if {0.0, -1.0} <= set(y):
        raise BadInput("The CSV has both 0 and -1 as labels; give 1 and -1, or 1 and 0.")
    y = [1 if label > 0 else -1 for label in y]
    if len(set(y)) == 1:
        raise BadInput(f"All {len(y)} labels in the CSV are of one class; give observations of both classes, 1 and -1.")
    return x, y


def _cell(name: str, text: str) -> float:
    return params.number(name, params.typed(name, text), -params.MAX_ENTRY, params.MAX_ENTRY)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def from_knobs(knobs: dict) -> dict:
    x, y = synthetic(int(knobs["rows"]), knobs["spread"], int(knobs["data"]))
    return {"name": "logistic", "x": x, "y": y, "lam": knobs["lam"]}


ENTRY = TargetEntry(
    name="logistic",
    title="Logistic posterior",
    formula=r"p_0 \propto \exp(-\tfrac{\lambda}{2}|\theta|^2 - \tfrac1n\sum_i\log(1+e^{-y_i x_i\cdot\theta}))",
    from_spec=from_spec,
    knobs=(
        Knob("lam", "Penalty λ", 0.8, 0.3, 4.0, 0.1, "Strength of the Gaussian prior; m₀ = λ."),
        Knob("rows", "Observations n", 40, 2, 200, 1, "Number of synthetic data points."),
        Knob("spread", "Feature scale σ", 3.0, 0.5, 5.0, 0.5, "Standard deviation of the features: larger is stiffer."),
        Knob("data", "Data seed", 1, 0, 999, 1, "Seed of the synthetic data."),
    ),
    from_knobs=from_knobs,
)
