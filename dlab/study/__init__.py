"""A study: plain values in, rows and fits out. Cache key, permalink, saved file and cluster task at once."""

from dlab.study.paths import Reference, SharedPath, shared_paths
from dlab.study.result import Result, Row, facts_json, refitted
from dlab.study.run import pack, run, stream
from dlab.study.spec import BATCH, BUDGET, DEFAULT, ESTIMATORS, SCHEMA, STARTS, Study

__all__ = [
    "BATCH",
    "BUDGET",
    "DEFAULT",
    "ESTIMATORS",
    "SCHEMA",
    "STARTS",
    "Reference",
    "Result",
    "Row",
    "SharedPath",
    "Study",
    "facts_json",
    "pack",
    "refitted",
    "run",
    "shared_paths",
    "stream",
]
