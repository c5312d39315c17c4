"""The figure of a result, whatever its study asked for."""

from dlab.figures import budget, convergence
from dlab.figures.chart import Chart


def figure(result: dict) -> Chart:
    """Steps against accuracy where the study has `reach`, else W2 against the step size."""
    return budget.chart(result) if result["study"].get("reach") else convergence.chart(result)
