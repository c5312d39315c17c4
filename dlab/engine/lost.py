"""The exception of a run whose workers are gone."""


class Lost(RuntimeError):
    """The scheduler is gone, or has forgotten a unit of a run: the run can go on from the journal in another place."""
