"""Where rooms and their votes are kept: an SQLite file in the cache folder, which several servers may share and a restart survives.

A room is a code. Its lecturer asks one question after another in it, and only the last can be open. Of a phone there is a digest that
differs from room to room, of a lecturer's browser another; nothing else of anybody is kept, and a room is deleted a day after its end.
"""

import hashlib
import json
import logging
import secrets
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dlab import cache as kept
from dlab.cache import dumps
from dlab.params import BadInput
from dlab.room.question import Question

LOG = logging.getLogger(__name__)
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words, and nothing that looks like a digit
LENGTH = 4
LASTS = 2 * 3600.0  # seconds, from when a room is opened
FORGOTTEN = 24 * 3600.0  # seconds after its end
MOST_ROOMS = 200  # open at once
MOST_VOTES = 2000  # of a question
MOST_QUESTIONS = 200  # of a room
PATIENCE = 5.0  # seconds that a writer waits for another process

TABLES = """
CREATE TABLE IF NOT EXISTS rooms (code TEXT PRIMARY KEY, owner TEXT NOT NULL, ends REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS asked (
    code TEXT, number INTEGER, subject TEXT NOT NULL, question TEXT NOT NULL, open INTEGER NOT NULL, PRIMARY KEY (code, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS votes (
    code TEXT, number INTEGER, device TEXT, answer TEXT NOT NULL, PRIMARY KEY (code, number, device)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS owners ON rooms (owner);
"""
# One statement, so that no question can close between the look and the vote. A device that has voted changes its vote.
VOTE = f"""
INSERT INTO votes (code, number, device, answer)
SELECT a.code, a.number, :device, :answer FROM asked a JOIN rooms r ON r.code = a.code
WHERE a.code = :code AND a.number = :number AND a.open AND r.ends > :now AND (
    EXISTS (SELECT 1 FROM votes WHERE code = :code AND number = :number AND device = :device)
    OR (SELECT count(*) FROM votes WHERE code = :code AND number = :number) < {MOST_VOTES})
ON CONFLICT (code, number, device) DO UPDATE SET answer = excluded.answer
"""
ROOM = """SELECT a.code, a.number, a.subject, a.question, a.open AND r.ends > :now, r.ends FROM asked a JOIN rooms r ON r.code = a.code"""


class Refused(BadInput):
    """A vote that does not count, and why."""


class Unkept(BadInput):
    """The file cannot be read or written."""


@dataclass(frozen=True)
class Asked:
    """A question of a room.

    number   of the room's questions, from 1       subject   what of the lab it is about, a scene's name for instance
    open     whether votes count                   ends      when the room ends by itself, in seconds since the epoch
    """

    code: str
    number: int
    subject: str
    question: Question
    open: bool
    ends: float


class Store:
    """Rooms and votes in a file. Unkept, with one sentence, where it cannot be written."""

    def __init__(self, path: Path, clock=time.time):
        self.path, self.clock = path, clock
        self._guard = threading.Lock()
        self._open: tuple[sqlite3.Connection, int] | None = None

    def ask(self, owner: str, subject: str, question: Question) -> Asked:
        """Put a question to the room of a lecturer, which is opened where there is none; votes on the one before end."""
        now = self.clock()
        with self._writing() as db:
            self._forget(db, now)
            found = db.execute("SELECT code, ends FROM rooms WHERE owner = ? AND ends > ?", (_digest(owner), now)).fetchone()
            code, ends = found or (self._code(db, now), now + LASTS)
            if not found:
                db.execute("INSERT INTO rooms VALUES (?, ?, ?)", (code, _digest(owner), ends))
            (last,) = db.execute("SELECT coalesce(max(number), 0) FROM asked WHERE code = ?", (code,)).fetchone()
            if last >= MOST_QUESTIONS:
                raise BadInput(f"A room takes {MOST_QUESTIONS} questions; close it and open another one.")
            db.execute("UPDATE asked SET open = 0 WHERE code = ?", (code,))
            db.execute("INSERT INTO asked VALUES (?, ?, ?, ?, 1)", (code, last + 1, subject, dumps(question.to_json())))
        return Asked(code, last + 1, subject, question, True, ends)

    def now(self, code: str) -> Asked | None:
        """The last question of a room; None where the code is of none, or the room has been forgotten."""
        return self._asked("WHERE a.code = :code ORDER BY a.number DESC", code=code)

    def mine(self, owner: str, subject: str | None = None) -> Asked | None:
        """The last question, of a subject where one is given, in the lecturer's room that has not ended."""
        about = "" if subject is None else " AND a.subject = :subject"
        return self._asked(f"WHERE r.owner = :owner AND r.ends > :now{about} ORDER BY a.number DESC", owner=_digest(owner), subject=subject)

    def stop(self, asked: Asked) -> None:
        """No more votes on a question."""
        with self._writing() as db:
            db.execute("UPDATE asked SET open = 0 WHERE code = ? AND number = ?", (asked.code, asked.number))

    def end(self, code: str) -> None:
        """End a room now."""
        with self._writing() as db:
            db.execute("UPDATE rooms SET ends = min(ends, ?) WHERE code = ?", (self.clock(), code))

    def vote(self, asked: Asked, device: str, answer) -> list:
        """Count the answer of a device, in the place of the one that it gave before; returns it as it is kept. Refused where the question
        is closed, BadInput where the answer is none."""
        answer, now = asked.question.read(answer), self.clock()
        given = {"code": asked.code, "number": asked.number, "device": _digest(asked.code, device), "answer": dumps(answer), "now": now}
        with self._writing() as db:
            counted = db.execute(VOTE, given).rowcount
        if not counted:
            last = self.now(asked.code)
            moved = last and last.number != asked.number
            full = last and last.open and not moved
            raise Refused(
                "The room has gone on to another question." if moved
                else f"The room is full: {MOST_VOTES} votes are counted." if full
                else "The vote is closed."
            )  # fmt: skip
        return answer

    def vote_of(self, asked: Asked, device: str) -> list | None:
        """What a device has answered."""
        found = self._read(
            "SELECT answer FROM votes WHERE code = :code AND number = :number AND device = :device",
            code=asked.code, number=asked.number, device=_digest(asked.code, device),
        )  # fmt: skip
        return json.loads(found[0][0]) if found else None

    def count(self, asked: Asked) -> int:
        """How many devices have voted."""
        rows = self._read("SELECT count(*) FROM votes WHERE code = :code AND number = :number", code=asked.code, number=asked.number)
        return rows[0][0] if rows else 0

    def votes(self, asked: Asked) -> list[list]:
        """All answers, in no order that tells who gave them."""
        rows = self._read("SELECT answer FROM votes WHERE code = :code AND number = :number", code=asked.code, number=asked.number)
        return [json.loads(answer) for (answer,) in rows]

    def close(self) -> None:
        """Let go of the file."""
        with self._guard:
            if self._open:
                self._open[0].close()
                self._open = None

    # ---------------------------------------------------------------- the file

    def _asked(self, where, **given) -> Asked | None:
        rows = self._read(f"{ROOM} {where} LIMIT 1", now=self.clock(), **given)
        if not rows:
            return None
        code, number, subject, question, open_, ends = rows[0]
        return Asked(code, number, subject, Question.from_json(json.loads(question)), bool(open_), ends)

    def _read(self, statement, **given) -> list[tuple]:
        if not self.path.exists():
            return []
        with self._using() as db:
            return db.execute(statement, given).fetchall()

    @contextmanager
    def _writing(self):
        with self._using() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    @contextmanager
    def _using(self):
        with self._guard:
            try:
                yield self._connection()
            except (sqlite3.Error, OSError) as error:
                if self._open:
                    self._open[0].close()
                    self._open = None
                LOG.warning("%s: %s", self.path, error)
                raise Unkept("Votes cannot be kept: the lab cannot write to its cache folder; DLAB_CACHE names another one.") from error

    def _connection(self) -> sqlite3.Connection:
        """The connection of this process, made anew where somebody has deleted the cache folder under it."""
        if self._open and _inode(self.path) == self._open[1]:
            return self._open[0]
        if self._open:
            self._open[0].close()
        self._open = None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL")  # readers wait for no writer, and a killed process loses nothing that it has counted
            db.execute("PRAGMA synchronous = NORMAL")
            db.executescript(TABLES)
        except BaseException:
            db.close()
            raise
        self._open = db, _inode(self.path)
        return db

    def _code(self, db, now) -> str:
        (rooms,) = db.execute("SELECT count(*) FROM rooms WHERE ends > ?", (now,)).fetchone()
        if rooms >= MOST_ROOMS:
            raise BadInput(f"{MOST_ROOMS} rooms are open on this server, as many as it holds; try again when one has ended.")
        while True:
            code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
            if not db.execute("SELECT 1 FROM rooms WHERE code = ?", (code,)).fetchone():
                return code

    def _forget(self, db, now) -> None:
        """Delete the rooms that ended long ago, with all that was said in them."""
        old = [code for (code,) in db.execute("SELECT code FROM rooms WHERE ends < ?", (now - FORGOTTEN,))]
        for table in ("votes", "asked", "rooms"):
            db.executemany(f"DELETE FROM {table} WHERE code = ?", [(code,) for code in old])


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _inode(path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return -1


def shared() -> Store:
    """The rooms of this machine: those of all servers with this cache folder."""
    return _store(kept.folder() / "rooms" / "rooms.sqlite")


@cache
def _store(path) -> Store:
    return Store(path)
