"""The lecturers' tasks of tasks.md, walked: their goals are reached, in few clicks."""

from pathlib import Path

import pytest
import walk_tasks
from server import CHROMIUM

pytestmark = [
    pytest.mark.browser, pytest.mark.long, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]  # fmt: skip


@pytest.mark.parametrize("task", walk_tasks.TASKS, ids=lambda task: task.name)
def test_a_lecturer_gets_there_in_few_clicks(app, chromium, task):
    walk = walk_tasks.walked(chromium, app, task, task.now)
    assert walk.clicks <= task.most <= walk_tasks.CLICKS
    assert walk.words <= 200


def test_ten_tasks_are_written_down():
    written = Path(__file__).with_name("tasks.md").read_text("utf-8").splitlines()
    limits = [row.split("|")[-2].strip() for row in written if row[2:3].isdigit()]
    assert limits == [str(task.most) for task in walk_tasks.TASKS]
    assert len(limits) == 10
