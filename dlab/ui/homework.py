"""Homework on the question of a scene: links in which each student has a target of their own, the code on the page, and its check.

`python -m dlab homework make` and `check` are its two ends; between them nothing is kept anywhere.
"""

import csv
import io
from pathlib import Path

import streamlit as st

from dlab import engine, targets
from dlab.figures.tables import fit_of, slope_text
from dlab.params import BadInput, choice, integer, show
from dlab.room import homework
from dlab.room.homework import Task
from dlab.ui import links, share, studies
from dlab.ui.scenes import BY_NAME, PreparedScene

FIELD = "homework-"  # prefix of the session keys of the answers
SPREAD = 0.3  # of a knob's value: so far a student's own may be from the scene's
FIXED = ("target", "error", "horizon")  # what the answers depend on can be seen and not moved
NEAR = 0.02  # a slope that is read off the page is right within this, and within half of the last digit that the page shows


def scenes() -> dict[str, PreparedScene]:
    """Those whose question a homework can ask: answered by an exact law, so that every link opens at once and a check takes seconds."""
    found = {name: scene for name, scene in BY_NAME.items() if scene.page == "convergence" and scene.guess}
    return {name: scene for name, scene in found.items() if not studies.curve(links.read(scene.settings)[0]).work}


def values_of(secret: str, name: str, student: int) -> dict:
    """A scene with the knobs of its target moved by chance, the same for a student every time."""
    values, chance = links.read(BY_NAME[name].settings)[0], homework.chance(secret, name, student)
    for knob in targets.REGISTRY[values["target"]].knobs:
        key = f"{values['target']}.{knob.name}"
        by = max(SPREAD * abs(values[key]), 2 * knob.step)
        steps = round((values[key] + chance.uniform(-by, by) - knob.low) / knob.step)
        values[key] = min(max(round(knob.low + steps * knob.step, 10), knob.low), knob.high)
    return values | {"homework": homework.task(secret, name, student).text, "fix": FIXED}


# ---------------------------------------------------------------- on the page


def draw(task: Task) -> None:
    """The student's form under the picture, and the code once everything is answered."""
    if (scene := BY_NAME.get(task.scene)) is None or scene.guess is None:
        return
    with st.container(border=True, key="homework"):
        asked = "Which slope does each curve have on your target? Read it off above." if scene.guess.schemes else scene.asks
        st.markdown(f"**Homework, student {task.student}.** {asked}")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            for name in scene.guess.schemes:
                st.number_input(f"Slope of {name}", 0.0, 9.99, None, 0.01, format="%.2f", key=FIELD + name, width=150)
            if scene.guess.options:
                st.segmented_control("Your answer", scene.guess.options, key=FIELD, width="content", label_visibility="collapsed")
        given = [st.session_state[FIELD + name] for name in scene.guess.schemes or ("",)]
        if None not in given:
            st.markdown("Your code. It holds these answers and fits only your link:")
            st.code(task.code([answer if isinstance(answer, str) else f"{answer:.2f}" for answer in given]), language=None, width=420)


# ---------------------------------------------------------------- the lecturer's two commands


def make(name: str, students: int, secret: str, address: str) -> list[tuple[int, str]]:
    """(number, link) of every student."""
    choice("scene", name, scenes())
    integer("students", students, 1, homework.MOST)
    if not share.is_address(address):
        raise BadInput(f"address = {show(address, 200)} is not one that a browser opens; give that of the lab, such as https://lab.example.org.")
    return [(n, share.link(address.rstrip("/"), BY_NAME[name].page, values_of(secret, name, n))) for n in range(1, students + 1)]


def check(rows: list[list[str]], secret: str) -> list[dict]:
    """What every row of a table holds, in a cell of its own: the student's number, the answers, and which are right. A row without a code
    is left out."""
    found, seen = [], set()
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row if cell.count("/") >= 3]
        if not cells:
            continue
        name = next((cell.strip() for cell in row if cell.strip() and cell.strip() not in cells), "")
        told = {"row": number, "name": name, "student": "", "answers": "", "right": "", "of": "", "expected": "", "note": ""}
        try:
            task, answers = homework.opened(secret, cells[-1])
            expected = _expected(secret, task)
            told |= {"student": task.student, "answers": " ".join(answers), "of": len(expected), "expected": " ".join(expected)}
            agree = _agree if BY_NAME[task.scene].guess.schemes else str.__eq__
            told["right"] = sum(map(agree, answers, expected)) if len(answers) == len(expected) else 0
            told["note"] = "sent before" if task in seen else ""
            seen.add(task)
        except BadInput as error:
            told["note"] = f"not valid: {error}"
        found.append(told)
    return found


def _expected(secret, task) -> list[str]:
    """The right answers on a student's own target."""
    scene = scenes().get(task.scene)
    if scene is None:
        raise BadInput(f"{show(task.scene)} is not the scene of a homework")
    result = engine.exact(studies.curve(values_of(secret, task.scene, task.student)))
    if scene.guess.schemes:
        return [slope_text(fit_of(result, name)).split(" ")[0] for name in scene.guess.schemes]
    return [scene.guess.right(result)]


def _agree(given: str, expected: str) -> bool:
    """Whether two slopes are one, as far as the page shows it."""
    try:
        apart, shown = abs(float(given) - float(expected)), 0.5 * 10.0 ** -len(expected.partition(".")[2])
    except ValueError:  # no slope is shown, or a code says something else
        return False
    return apart < max(NEAR, shown) + 1e-9


def table(path: str) -> list[list[str]]:
    """The rows of a CSV file, with commas, semicolons or tabs."""
    try:
        text = Path(path).read_text("utf-8-sig")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadInput(f"{show(path, 200)} cannot be read ({reason}); give a CSV file in UTF-8.") from None
    separator = max(",;\t", key=text.count)
    try:
        return list(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error as error:
        raise BadInput(f"{show(path, 200)} is not a readable CSV ({error}); check its quotation marks.") from None
