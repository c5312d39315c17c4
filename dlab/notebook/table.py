"""The rows of a result as a table of pandas or polars."""

from importlib import import_module

from dlab.export import flat_rows
from dlab.notebook.given import Given, study_of
from dlab.params import BadInput

LIBRARIES = ("pandas", "polars")


def rows(result: Given, library: str = "pandas"):
    """One line for each point, the columns of rows.csv: scheme, h, steps, w2, stderr, bound, …; what is not there is missing.

    library: "pandas", or "polars" where it is installed. BadInput where a study is given that has not run, or the library is missing.
    """
    if library not in LIBRARIES:
        raise BadInput(f"library = {library!r} is unknown; choose one of {', '.join(LIBRARIES)}.")
    try:
        frame = import_module(library).DataFrame
    except ImportError:
        raise BadInput(f"A table of {library} needs the package {library}: pip install {library}.") from None
    study, data = study_of(result)
    if data is None:
        raise BadInput(f"A study of {', '.join(study.schemes)} has no rows yet; run it, result = await dlab.arun(study).")
    columns, flat = flat_rows(data)
    return frame({name: [row.get(name) for row in flat] for name in columns})
