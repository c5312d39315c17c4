"""A study: plain values in, rows and fits out. Cache key, permalink, saved file and cluster task at once."""

from dlab.study.bounds import along, bounds, checklist
from dlab.study.compare import DISAGREES, compare
from dlab.study.density import law_density
from dlab.study.grids import Grid, Reference, grids
from dlab.study.hessians import derived
from dlab.study.modes import modes, modes_work
from dlab.study.onestep import one_step
from dlab.study.readings import boundary, first_coordinate, readings
from dlab.study.result import Result, Row, facts_json, refitted
from dlab.study.run import run, stream
from dlab.study.signs import signs
from dlab.study.spec import BATCH, BUDGET, DEFAULT, ESTIMATORS, SCHEMA, STARTS, Study
from dlab.study.timing import particle_step

__all__ = [
    "BATCH",
    "BUDGET",
    "DEFAULT",
    "DISAGREES",
    "ESTIMATORS",
    "SCHEMA",
    "STARTS",
    "Grid",
    "Reference",
    "Result",
    "Row",
    "Study",
    "along",
    "boundary",
    "bounds",
    "checklist",
    "compare",
    "derived",
    "facts_json",
    "first_coordinate",
    "grids",
    "law_density",
    "modes",
    "modes_work",
    "one_step",
    "particle_step",
    "readings",
    "refitted",
    "run",
    "signs",
    "stream",
]
