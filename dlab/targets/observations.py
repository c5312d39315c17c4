"""Observations for the logistic target: made up by a stated rule, or read from an uploaded CSV."""

import csv
import io
import math
import re
from dataclasses import dataclass

import numpy as np

from dlab import params
from dlab.params import BadInput

MAX_FEATURES = 50
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
LABELS = ("y", "label", "outcome", "target", "class", "diagnosis")  # names that a column of labels has, the first that is there
POSITIVE = ("yes", "true", "positive", "case", "pos", "t")  # words for the label 1; else the later one in the alphabet is
MISSING = ("", "na", "n/a", "nan", "null", "none", "-", "?", "inf", "-inf")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_WORD = re.compile(r"[^\W\d_]")


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
        raise BadInput(f"Feature {flat[0] + 1} has the same value in every row, so it cannot be standardised; leave this column out.")
    return np.round((x - x.mean(0)) / spread, 6)


@dataclass(frozen=True)
class Table:
    """Observations as read from a file.

    names (d,), label: the columns' names   x: rows of d numbers as they stand in the file   y: labels 1 and -1
    positive, negative: what stands in the file for them   separator: between the cells   remarks: sentences on what was left
    out or taken for something else
    """

    names: tuple[str, ...]
    label: str
    x: list[list[float]]
    y: list[int]
    positive: str
    negative: str
    separator: str
    remarks: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """What the reader understood, in one sentence."""
        count = f"{len(self.x)} row{'s' * (len(self.x) != 1)}, {len(self.names)} features: {', '.join(self.names)}"
        return f"{count}; label: {self.label}, 1 = {self.positive}, −1 = {self.negative}."


def read_csv(data: bytes, planar: bool = False, separator: str | None = None, label: str | None = None) -> Table:
    """Observations of a CSV in UTF-8: a row for each, features as numbers, and one column of labels with two values.

    planar: exactly two features; else 2 to MAX_FEATURES. separator: one of SEPARATORS, found where it is None. label: the name
    of the column of labels; where it is None the one that is called so (LABELS), else the only one with two values, else the last.
    The first row is a header where it holds words and no number. Whole numbers without a header that may be the parts of decimal commas
    are refused unless the separator is given. BadInput names line and column, what stands there, and the next step.
    """
    text, stated = _text(data)
    chosen = separator or stated
    separator, rows = _cells(text, chosen)
    count = len(rows)
    names, rows, remarks = _header(rows)
    if chosen is None and separator == "," and len(rows) == count and _pairs(rows):
        raise BadInput(
            f"The CSV has {len(names)} columns of whole numbers and no header, which may as well be {len(names) // 2} features with "
            "decimal commas; put ; between the columns, or, if they are whole numbers, add a header or choose commas as the separator."
        )
    names, rows, remarks = _without_index(names, rows, remarks)
    most = 2 if planar else MAX_FEATURES
    if not 3 <= len(names) <= most + 1:
        wanted = "2 features and a label" if planar else f"2 to {MAX_FEATURES} features and a label"
        raise BadInput(f"The CSV has {len(names)} columns where {wanted} were expected; they were separated at {SEPARATORS[separator]}.")
    at = _label(names, rows, label)
    features, names = [j for j in range(len(names)) if j != at], [named(name) for name in names]
    comma = separator != "," and _decimal_commas([cells[j] for _, cells in rows for j in features])
    if comma:
        remarks.append("Numbers were read with a decimal comma.")
    x = [[_number(line, names[j], cells[j], comma) for j in features] for line, cells in rows]
    y, positive, negative = _labels(names[at], [(line, cells[at]) for line, cells in rows])
    return Table(tuple(names[j] for j in features), names[at], x, y, positive, negative, separator, tuple(remarks))


def columns(data: bytes, separator: str | None = None) -> list[str]:
    """The names of the columns."""
    text, stated = _text(data)
    return _without_index(*_header(_cells(text, separator or stated)[1]))[0]


def named(column: str) -> str:
    """A column's name as sentences have it."""
    return params.shortened("".join(c if c.isprintable() else " " for c in column))


def _text(data: bytes) -> tuple[str, str | None]:
    """The file's text, with lines that end in \\n, and the separator that its first line names as Excel does (sep=;), or None."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"The file is not UTF-8 text ({error}); save it as CSV in UTF-8.") from None
    if "\0" in text:
        raise BadInput("The file holds NUL characters, so it is not text; save it as CSV in UTF-8.")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    first, _, rest = text.partition("\n")
    if first[:4].lower() == "sep=" and first[4:] in SEPARATORS:
        return f"\n{rest}", first[4:]
    return text, None


def _cells(text: str, separator: str | None) -> tuple[str, list[tuple[int, list[str]]]]:
    """The separator, and the number and the cells of each line that is not empty."""

    def parted(mark):
        try:
            rows = csv.reader(io.StringIO(text), delimiter=mark, skipinitialspace=True, strict=True)
            found = [(rows.line_num, [c.strip() for c in row]) for row in rows]
        except csv.Error as error:
            raise BadInput(f"The file is not a readable CSV ({error}, line {rows.line_num}); check its quotation marks.") from None
        return [(line, row) for line, row in found if any(row)]

    if separator is None:
        # The mark that parts the first line into most columns; of a tie the one that decimal commas cannot be.
        first = next((line for line in text.split("\n") if line.strip()), "")
        separator = max((";", "\t", "|", ","), key=lambda mark: len(next(csv.reader([first], delimiter=mark))))
    rows = parted(separator)
    if not rows:
        raise BadInput("The CSV is empty; give a row for each observation: its features, and a label.")
    return separator, rows


def _header(rows) -> tuple[list[str], list, list[str]]:
    """The columns' names, the rows of data, and remarks; every row has as many cells as there are names."""
    line, first = rows[0]
    if any(_word(c) for c in first) and not any(_NUMBER.fullmatch(c) or _COMMA.fullmatch(c) for c in first):
        names, rows = list(first), rows[1:]
        if not rows:
            raise BadInput("The CSV has a header and no rows; add a row for each observation.")
    else:
        names = [*(f"x{j}" for j in range(1, len(first))), "y"]
    for other, cells in rows:
        if len(cells) != len(names):
            more = "; numbers with a decimal comma need ; between the columns" if len(cells) > len(names) else ""
            raise BadInput(
                f"Line {other} of the CSV has {len(cells)} cells and line {line} has {len(names)}; give every line the same number{more}."
            )
    if len(rows) > params.MAX_DATA_ROWS:
        raise BadInput(f"The CSV has {len(rows)} rows; the limit is {params.MAX_DATA_ROWS}.")
    return names, rows, []


def _without_index(names, rows, remarks):
    """Without a first column that has no name and counts the rows; BadInput of other columns without a name or with the same."""
    if names[0].lower() in ("", "unnamed: 0") and [cells[0] for _, cells in rows] in (
        [str(i) for i in range(len(rows))], [str(i + 1) for i in range(len(rows))],
    ):  # fmt: skip
        names, rows = names[1:], [(line, cells[1:]) for line, cells in rows]
        remarks = [*remarks, "The first column has no name and numbers the rows; it was left out."]
    for j, name in enumerate(names):
        if not name:
            raise BadInput(f"Column {j + 1} of the CSV has no name in the header; name it, or leave it out.")
        if name.lower() in (other.lower() for other in names[:j]):
            raise BadInput(f"The CSV header names {params.show(name)} twice; give each column a name of its own.")
    return names, rows, remarks


def _label(names, rows, wanted: str | None) -> int:
    """The place of the column of labels."""
    if wanted is not None:
        if wanted not in names:
            there = params.shortened(", ".join(map(named, names)), 300)
            raise BadInput(f"The CSV has no column {params.show(wanted)} for the label; it has {there}.")
        return names.index(wanted)
    if called := [j for name in LABELS for j, other in enumerate(names) if other.lower() == name]:
        return called[0]
    two = [j for j in range(len(names)) if len({cells[j] for _, cells in rows}) == 2]
    return two[0] if len(two) == 1 else len(names) - 1


def _labels(name, cells) -> tuple[list[int], str, str]:
    """Labels 1 and -1, and what stands in the file for each."""
    for line, text in cells:
        if text.lower() in MISSING:
            raise BadInput(f"Line {line}, column {name}: the label is missing; give one of two values in every row.")
    kinds = {_canonical(text): text for _, text in cells}
    if len(kinds) != 2:
        shown = ", ".join(params.show(v) for v in sorted(kinds.values())[:4])
        what = "one value" if len(kinds) == 1 else f"{len(kinds)} values"
        raise BadInput(f"The label column {name} has {what} ({shown}); give two, such as 1 and −1, or 1 and 0, or choose another column.")
    if set(kinds) == {0.0, -1.0}:
        raise BadInput(f"The label column {name} has 0 and −1; give 1 and −1, or 1 and 0.")
    plain = [k for k in kinds if isinstance(k, float)]
    if len(plain) == 1:
        both = ", ".join(map(params.show, kinds.values()))
        raise BadInput(f"The label column {name} mixes a number and a word: {both}; give two of a kind.")
    low, high = sorted(kinds, key=lambda k: (k in POSITIVE, k))
    return [1 if _canonical(text) == high else -1 for _, text in cells], kinds[high], kinds[low]


def _canonical(text: str):
    """A number as such, a word in small letters."""
    return float(text) if _NUMBER.fullmatch(text) else text.lower()


def _word(text: str) -> bool:
    return bool(_WORD.search(text)) and text.lower() not in MISSING and not _NUMBER.fullmatch(text)


def _pairs(rows) -> bool:
    """Whether the cells before the label may be the two parts each of at least two numbers with a decimal comma.

    Digits after a comma are as many in all rows, or written without zeros at their end: a column with 10 and 5 holds whole numbers.
    """
    width = len(rows[0][1]) - 1
    if width < 4 or width % 2:
        return False
    columns = list(zip(*(cells[:-1] for _, cells in rows)))
    return all(_WHOLE.fullmatch(cell) for column in columns for cell in column) and all(
        all(cell.isdigit() for cell in column)
        and (len({len(cell) for cell in column}) == 1 or not any(cell[0] != "0" and cell.endswith("0") for cell in column))
        for column in columns[1::2]
    )


def _decimal_commas(cells) -> bool:
    return any(_COMMA.fullmatch(c) for c in cells) and not any("." in c for c in cells)


def _number(line: int, column: str, text: str, comma: bool) -> float:
    where, plain = f"Line {line}, column {column}", text.replace(",", ".", 1) if comma else text
    if text.lower() in MISSING:
        raise BadInput(f"{where}: the value is missing ({params.show(text)}); give a number, or leave the row out.")
    if not _NUMBER.fullmatch(plain):
        hint = "write it with a decimal point" if _COMMA.fullmatch(text) else "give a number such as 1.5"
        raise BadInput(f"{where}: {params.show(text)} is not a number; {hint}.")
    return params.number(where, float(plain), -params.MAX_ENTRY, params.MAX_ENTRY)
