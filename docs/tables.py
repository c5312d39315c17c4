"""The tables of README.md that follow from the registries: `python docs/tables.py` writes them, `--check` says whether it would."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from dlab import errors, grid, measure, schemes, targets  # noqa: E402
from dlab.figures.numbers import order  # noqa: E402
from dlab.schemes.names import NAMES  # noqa: E402

README = ROOT / "README.md"


def evaluations(scheme) -> str:
    counted = ((scheme.score_evals, "score"), (scheme.hessian_evals, "Hessian"))
    return ", ".join(f"{n} {what}{'s' * (n != 1)}" for n, what in counted if n)


def scheme_rows():
    yield "name", "scheme", "family", "theorem", "its order", "true order of W₂", "strong order", "evaluations per step"
    for s in schemes.REGISTRY.values():
        proved = order(s.theorem.order) if s.theorem else "–"
        yield s.name, s.title, s.family, s.theorem_name, proved, order(s.law_order), order(s.strong_order), evaluations(s)


def grid_rows():
    yield "name", "grid", "equal steps in", "keys in a study file (default)"
    for name, maker in grid.MAKERS.items():
        keys = [f"{key} ({maker.settings[key][0]:g})" if key in maker.settings else key for key in grid.keys(name)]
        yield name, maker.title, f"${maker.formula}$" if maker.formula else "–", ", ".join(["T"] * (maker.begins == "T") + keys) or "–"


def name_rows():
    yield "name", "of", "scheme", "grid", "option", "note"
    for n in NAMES.values():
        options = ", ".join(f"{key} = {value:g}" for key, value in n.options)
        yield n.name, n.source, n.scheme, n.grid["name"] if n.grid else "any", options or "–", n.note or "–"


def target_rows():
    yield "name", "target", "keys in a study file", "m₀", "L₀"
    for t in targets.REGISTRY.values():
        yield t.name, t.title, ", ".join(t.keys), t.m0, t.L0


def error_rows():
    levels = {"norm": "its L₂ norm", "share": "a share of the score", "other": "measured along the run"}
    yield "name", "score error", "s*", "keys in a study file", "level"
    for e in errors.REGISTRY.values():
        yield e.name, e.title, f"${e.formula}$".replace("|", r"\|"), ", ".join(e.keys) or "–", levels[e.level_is] if e.leveled else "–"


def estimator_rows():
    yield "name", "estimator", "looks at", "in `auto`", "its values"
    for e in measure.REGISTRY.values():
        sees = "the scheme's law" if not e.sampled else "paired particles" if e.uses_reference and not e.alone else "the scheme's particles"
        notes = "; ".join(f"`{m.name}`: {m.note}" for m in e.methods if m.note) or "–"
        yield e.name, e.title, sees, "yes" * e.automatic or "–", notes


TABLES = {
    "schemes": scheme_rows, "grids": grid_rows, "names": name_rows, "targets": target_rows, "score errors": error_rows,
    "estimators": estimator_rows,
}  # fmt: skip


def table(rows) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---" * (head.count(" | ") + 1) + "|", *body])


def filled(text: str) -> str:
    """The text with every table between its markers as the registries have it; ValueError where a marker is missing."""
    for name, rows in TABLES.items():
        begin, end = f"<!-- table: {name} (python docs/tables.py) -->\n", "\n<!-- end of table -->"
        place = re.search(f"{re.escape(begin)}.*?{re.escape(end)}", text, re.S)
        if not place:
            raise ValueError(f"README.md has no place for the table of {name}; add the lines {begin.strip()} and {end.strip()}.")
        text = text.replace(place[0], f"{begin}{table(rows())}{end}")
    return text


def main(arguments) -> int:
    old = README.read_text(encoding="utf-8")
    new = filled(old)
    if arguments == ["--check"]:
        return int(new != old)
    README.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
