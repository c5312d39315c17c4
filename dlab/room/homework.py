"""Homework: a link for each student, and the code of answers that comes back. Plain text; nobody needs the server to check it.

A link carries a mark, which follows from the lecturer's secret, the scene and the student's number. A code holds the answers in clear
and a checksum over them and the mark. So a code fits the link of one student alone, and no typing mistake passes. It is no proof of who
answered, or how often: whoever has the link, and reads these lines, can make a code of any answers to it.
"""

import hashlib
import hmac
import random
import re
from dataclasses import dataclass

from dlab.params import BadInput, show

LETTERS = "23456789BCDFGHJKLMNPQRSTVWXZ"
MARK, CHECK = 8, 6  # letters
MOST = 9999  # students
FORM = re.compile(rf"([a-z-]+)\.([1-9]\d{{0,3}})\.([{LETTERS}]{{{MARK}}})")
CODE = re.compile(rf"([a-z-]+)/([1-9]\d{{0,3}})/(.{{1,80}})/([{LETTERS}]{{{CHECK}}})")


@dataclass(frozen=True)
class Task:
    """A student's part of a homework: the scene that it is about, the student's number, and the mark."""

    scene: str
    student: int
    mark: str

    @property
    def text(self) -> str:
        """As a link carries it."""
        return f"{self.scene}.{self.student}.{self.mark}"

    def code(self, answers: list[str]) -> str:
        """What the student sends."""
        body = "/".join((self.scene, str(self.student), *answers))
        return f"{body}/{_letters(hashlib.sha256(f'{self.mark}/{body}'.encode()).digest(), CHECK)}"


def task(secret: str, scene: str, student: int) -> Task:
    """The task of a student."""
    return Task(scene, student, _letters(_keyed(secret, "mark", scene, student), MARK))


def chance(secret: str, scene: str, student: int) -> random.Random:
    """What the student's own settings are drawn from."""
    return random.Random(_keyed(secret, "settings", scene, student))


def read(text: str) -> Task:
    """The task that a link carries; BadInput where it is damaged."""
    if not (found := FORM.fullmatch(text)):
        raise BadInput(f"homework = {show(text)} is not the mark of a homework; open the link as it was sent.")
    return Task(found[1], int(found[2]), found[3])


def opened(secret: str, code: str) -> tuple[Task, list[str]]:
    """Whose code it is, and the answers; BadInput where it is damaged, or made with another link or secret."""
    if not (found := CODE.fullmatch("".join(code.split()))):
        raise BadInput("no code")
    mine, answers = task(secret, found[1], int(found[2])), found[3].split("/")
    if not hmac.compare_digest(mine.code(answers).rpartition("/")[2], found[4]):
        raise BadInput("the letters at its end do not fit")
    return mine, answers


def _keyed(secret, *parts) -> bytes:
    return hmac.new(secret.encode(), "/".join(map(str, parts)).encode(), hashlib.sha256).digest()


def _letters(digest: bytes, count: int) -> str:
    number = int.from_bytes(digest)
    return "".join(LETTERS[number // len(LETTERS) ** i % len(LETTERS)] for i in range(count))
