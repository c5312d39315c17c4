"""The lab in a notebook: `dlab.show` draws, `dlab.arun` runs beside other cells, `dlab.rows` gives a table.

`import dlab` does not import this: `dlab.__getattr__` does, when one of the three is asked for.
"""

from dlab.notebook.picture import show
from dlab.notebook.runs import arun
from dlab.notebook.table import rows

__all__ = ["arun", "rows", "show"]
