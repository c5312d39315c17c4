"""The figure of a result, whatever its study asked for."""

from dlab.figures import along, budget, convergence
from dlab.figures.chart import Chart


def figure(result: dict) -> Chart:
    """W2 along the axis where the study varies one, at the finest step size; steps against accuracy where it has `reach`; else
    W2 against the step size."""
    if result["study"].get("vary") and (sizes := along.steps_of({"": result})):
        return along.chart({"": result}, sizes[-1])
    return budget.chart(result) if result["study"].get("reach") else convergence.chart(result)
