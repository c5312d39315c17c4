"""What a study file asks for and none of its schemes takes: said where a file is given, so that nobody waits for its effect."""

from dlab import schemes
from dlab.study.spec import Study

SECOND = ("hessian_level", "drift_level", "hessian")  # errors of L and M


def unread(study: Study) -> list[str]:
    """A sentence for each key that changes no number of the study."""
    names, said = ", ".join(study.schemes), []
    given = [key for key in SECOND if study.score_error.get(key)]
    if not any(schemes.REGISTRY[name].hessian_evals for name in study.schemes):
        said += [f"score_error.{key} changes nothing here: none of {names} takes a Hessian; add one that does, SO say." for key in given]
    if study.growth is not None and "SO" not in study.schemes:
        said.append(f"growth changes nothing here, since it cuts steps of SO alone; add SO to {names}, or leave the key out.")
    return said
