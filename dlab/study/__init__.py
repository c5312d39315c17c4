"""A study: plain values in, rows and fits out. Cache key, permalink, saved file and cluster task at once."""

from dlab.study.compare import compare
from dlab.study.density import law_density
from dlab.study.result import Result, Row, facts_json, refitted
from dlab.study.run import run, stream
from dlab.study.spec import BATCH, DEFAULT, ESTIMATORS, REFINE, SCHEMA, STARTS, Grid, Study, grids

__all__ = [
    "BATCH",
    "DEFAULT",
    "ESTIMATORS",
    "REFINE",
    "SCHEMA",
    "STARTS",
    "Grid",
    "Result",
    "Row",
    "Study",
    "compare",
    "facts_json",
    "grids",
    "law_density",
    "refitted",
    "run",
    "stream",
]
