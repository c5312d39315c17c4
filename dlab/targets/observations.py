"""Observations for the logistic target: made up by a stated rule, or read from an uploaded CSV."""

import csv
import io
import math

import numpy as np

from dlab import params
from dlab.params import BadInput

MAX_FEATURES = 50
PLANAR = ("x1", "x2", "y")


def synthetic(rows: int, spread: float, seed: int, features: int = 2) -> tuple[list, list]:
    """`rows` observations of `features` numbers from N(0, spread^2 I), with labels drawn from the logistic model at a random
    unit parameter, both classes present; rounded so that a study file stays short."""
    rng = np.random.default_rng(seed)
    if features == 2:
        angle = rng.uniform(0, 2 * math.pi)
        truth = np.array([math.cos(angle), math.sin(angle)])
    else:
        truth = rng.normal(size=features)
        truth /= np.linalg.norm(truth)
    while True:
        x = np.round(rng.normal(0, spread, (rows, features)), 4)
        chance = 1 / (1 + np.exp(-x @ truth))
        y = np.where(rng.uniform(size=rows) < chance, 1, -1)
        if len(set(y)) == 2:
            return x.tolist(), y.tolist()


def standardised(x) -> np.ndarray:
    """Columns of x (m, d) with mean 0 and standard deviation 1; BadInput names a column that is constant."""
    x = np.asarray(x, float)
    spread = x.std(0)
    if (flat := np.flatnonzero(spread <= 1e-12 * np.abs(x).max(0, initial=1e-300))).size:
        raise BadInput(f"Feature {flat[0] + 1} has the same value in every row, so it cannot be standardised; leave it out.")
    return np.round((x - x.mean(0)) / spread, 6)


def read_csv(data: bytes, planar: bool = False) -> tuple[list, list]:
    """Features (m, d) and labels 1 and -1 from a CSV (labels 1 and -1, or 1 and 0), as they stand in the file.

    planar: columns x1, x2, y, in any order where a header names them. Otherwise 2 to MAX_FEATURES features, and the label is
    the column named y, else the last one. BadInput names the line, the column, the value and what was expected.
    """
    shape = f"columns {','.join(PLANAR)}" if planar else "a column for each feature, and the labels last or in one named y"
    try:
        lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"The file is not a text CSV ({error}); give UTF-8 text with {shape}.") from None
    rows = [(i, [c.strip() for c in line]) for i, line in enumerate(lines, 1) if any(c.strip() for c in line)]
    if not rows:
        raise BadInput(f"The CSV is empty; give {shape}, with a row for each observation.")
    names = rows[0][1]
    if header := not _is_number(names[0]):
        rows = rows[1:]
    features, label = (_planar if planar else _columns)(names, header)
    if not rows:
        raise BadInput("The CSV has a header and no rows; add a row for each observation.")
    if len(rows) > params.MAX_DATA_ROWS:
        raise BadInput(f"The CSV has {len(rows)} rows; the limit is {params.MAX_DATA_ROWS}.")
    x, y = [], []
    for line, cells in rows:
        if len(cells) <= max(label[1], *(j for _, j in features)):
            raise BadInput(f"Line {line} of the CSV has {len(cells)} columns; give {shape} in every line.")
        values = [_cell(f"Line {line}, column {c}", cells[j]) for c, j in (*features, label)]
        if values[-1] not in (-1.0, 0.0, 1.0):
            raise BadInput(f"Line {line} of the CSV has the label {cells[label[1]]}; give 1 and -1 (or 1 and 0).")
        x.append(values[:-1])
        y.append(values[-1])
    if {0.0, -1.0} <= set(y):
        raise BadInput("The CSV has both 0 and -1 as labels; give 1 and -1, or 1 and 0.")
    y = [1 if v > 0 else -1 for v in y]
    if len(set(y)) == 1:
        raise BadInput(f"All {len(y)} labels in the CSV are of one class; give observations of both classes, 1 and -1.")
    return x, y


def _planar(names, header):
    """(name, column) of each feature, and of the label, of the reader's two sorts of files."""
    if not header:
        return [("x1", 0), ("x2", 1)], ("y", 2)
    found = [c.lower() for c in names]
    if missing := [c for c in PLANAR if c not in found]:
        raise BadInput(f"The CSV header {params.show(','.join(names).lower())} lacks {missing[0]}; name the columns x1,x2,y.")
    *features, label = [(c, found.index(c)) for c in PLANAR]
    return features, label


def _columns(names, header):
    if not header:
        names = [*(f"x{j}" for j in range(1, len(names))), "y"]
    if twice := next((c for c in names if names.count(c) > 1), None):
        raise BadInput(f"The CSV header names {params.show(twice)} twice; give each column a name of its own.")
    if not 3 <= len(names) <= MAX_FEATURES + 1:
        raise BadInput(
            f"The CSV has {len(names)} columns; give 2 to {MAX_FEATURES} features and a label, with commas between them."
        )
    label = next((j for j, c in enumerate(names) if c.lower() == "y"), len(names) - 1)
    columns = [(c or f"number {j + 1}", j) for j, c in enumerate(names)]
    return columns[:label] + columns[label + 1 :], columns[label]


def _cell(name: str, text: str) -> float:
    return params.number(name, params.typed(name, text), -params.MAX_ENTRY, params.MAX_ENTRY)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
