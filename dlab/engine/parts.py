"""Results scheme by scheme: a scheme's rows depend on no other, so a study is put together from what is known of each."""

from dataclasses import replace

from dlab.engine import keep
from dlab.study import Study
from dlab.study.result import Result, Row


def separable(study: Study) -> bool:
    """Whether the rows of each scheme are those of a study with this scheme alone: not where paths are shared out among the points by a
    wanted accuracy, nor of studies that vary something or search."""
    return len(study.schemes) > 1 and study.accuracy is None and not study.vary and not study.reach and isinstance(study.target, dict)


def known(study: Study) -> dict[str, dict]:
    """{scheme: result of the study with this scheme alone} as far as it is kept."""
    if not separable(study):
        return {}
    found = {name: keep.kept(replace(study, schemes=(name,))) for name in study.schemes}
    return {name: result for name, result in found.items() if result is not None}


def rest(study: Study) -> Study:
    """The study of the schemes that nothing is known of; itself where that is none of them or all."""
    found = known(study)
    missing = tuple(name for name in study.schemes if name not in found)
    return replace(study, schemes=missing) if 0 < len(missing) < len(study.schemes) else study


def joined(study: Study, results: list[dict], done: float = 1.0) -> dict:
    """The result of a study from those of parts of its schemes, as a run of it gives it."""
    order = {name: i for i, name in enumerate(study.schemes)}
    rows = sorted((row for result in results for row in result["rows"]), key=lambda row: order[row["scheme"]])
    whole = Result(study, tuple(Row(**{"bound_withdrawn": "", **row, "flags": tuple(row["flags"])}) for row in rows), done=done)
    return {**whole.to_json(), "done": done}


def assembled(study: Study) -> dict | None:
    """The final result of a study of which every scheme is known by itself, kept from now on."""
    found = known(study)
    if len(found) < len(study.schemes):
        return None
    result = joined(study, list(found.values()))
    keep.keep_result(study, result)
    return result


def keep_each(study: Study, result: dict) -> None:
    """Keep what a final result says of each scheme by itself."""
    if separable(study):
        for name in study.schemes:
            alone = replace(study, schemes=(name,))
            mine = {"rows": [row for row in result["rows"] if row["scheme"] == name]}
            keep.keep_result(alone, joined(alone, [mine]))


def take_apart(result: dict, study: Study) -> None:
    """`keep_each` of a final result that has schemes of a study and is otherwise of the same one."""
    theirs, ours = ({k: v for k, v in text.items() if k != "schemes"} for text in (result["study"], study.to_json()))
    if theirs == ours and result.get("done", 1.0) == 1 and {*result["study"]["schemes"]} & {*study.schemes}:
        keep_each(Study.from_json(result["study"]), result)
