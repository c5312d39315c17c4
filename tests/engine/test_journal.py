"""What is kept of a run that is not finished: read as numbers or not at all, and missed by nobody where it cannot be written."""

import errno
import logging
import os
import time
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from cases import GAUSSIAN, SKEW

from dlab import cache
from dlab.cache import Cache
from dlab.engine import journal
from dlab.sample import Run
from dlab.sample.growth import Spent
from dlab.study import Study, run
from dlab.study.place import Here
from dlab.study.run import law_rows, simulated
from dlab.study.sweep import Beside

STUDY = Study.from_json({"target": SKEW, "schemes": ["EM"], "h": [0.5], "T": 1.0, "particles": 512})
PARTS = (("EM", 2), Beside("exact", 0, 64))
TICK = lambda done=0.5: None  # noqa: E731


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DLAB_CACHE", str(tmp_path))
    journal.CACHE.forget()
    return tmp_path / "units"


def runs(seed=0, n=64, d=3):
    """What a unit gives, with everything that a Run of one has."""
    rng = np.random.default_rng(seed)
    spent = Spent(rng.integers(0, 9, 4), rng.integers(1, 3, 4), rng.standard_normal((4, n)), np.float64(0.125))
    plain = Run(rng.standard_normal((n, d)), rng.random(2))
    return {PARTS[0]: plain, PARTS[1]: Run(rng.standard_normal((n, d)), np.zeros(0), fluctuation=rng.standard_normal((n, d)), spent=spent)}


def same(one, other):
    assert list(one) == list(other)
    for part, its in one.items():
        for name in journal.ARRAYS:
            mine, theirs = getattr(its, name), getattr(other[part], name)
            assert (mine is None) == (theirs is None)
            assert mine is None or (mine.dtype == theirs.dtype and mine.tobytes() == theirs.tobytes())
        assert (its.spent is None) == (other[part].spent is None)
        for name in journal.SPENT if its.spent is not None else ():
            np.testing.assert_array_equal(getattr(its.spent, name), getattr(other[part].spent, name))


@pytest.fixture
def unit(monkeypatch):
    """A unit that counts how often it is computed: unit(number) asks the journal for it."""

    def counted(study, number, parts, tick):
        asked.calls.append(number)
        return runs(number)

    def asked(number=0, study=STUDY):
        return journal.remembered(counted, study, number, PARTS, tick=TICK)

    asked.calls = []
    monkeypatch.setitem(journal.FORMATS, counted, journal.FORMATS[simulated])
    return asked


def file_of(folder):
    (file,) = folder.iterdir()
    return file


def test_a_unit_comes_back_bit_for_bit_with_its_tally_of_products(unit):
    first, again = unit(3), unit(3)
    assert unit.calls == [3]
    same(first, runs(3))
    same(again, runs(3))


def test_what_a_unit_is_a_function_of_names_it(unit):
    unit(0)
    unit(1)
    unit(0, replace(STUDY, seed=1))
    assert unit.calls == [0, 1, 0]
    # More particles, or a finer accuracy, go on from the batches of fewer.
    for wider in (replace(STUDY, particles=4096), replace(STUDY, accuracy=0.01), replace(STUDY, accuracy=0.1, budget=10**6)):
        unit(0, wider)
        unit(1, wider)
    assert len(unit.calls) == 3


def test_particles_with_the_tally_of_products_enter_a_result_as_they_do_without_a_journal():
    """SO on images by Hessian-vector products: one run from units computed, one from units read."""
    study = Study.from_json({
        "target": {"name": "images", "data": "digits", "count": 12}, "schemes": ["SO"], "h": [0.5], "T": 1.0, "particles": 16,
        "estimator": "frechet",
    })  # fmt: skip
    calls = []

    def called(function, study, *args, tick):
        found = journal.remembered(function, study, *args, tick=tick)
        calls.append(function)
        return found

    place = Here(called)
    alone = run(study).to_json()["rows"]
    assert alone[0]["spent"]["products"] > 0
    assert run(study, place=place).to_json()["rows"] == alone
    assert run(study, place=place).to_json()["rows"] == alone
    assert simulated in calls


def test_rows_of_dear_laws_are_kept_and_of_cheap_ones_not(folder, monkeypatch):
    exact = Study.from_json({"target": GAUSSIAN, "schemes": ["EM"], "h": [0.5], "T": 1.0})
    points = (("EM", 2),)
    first = journal.remembered(law_rows, exact, points, tick=TICK)
    assert not folder.exists()
    dear = replace(exact.estimator_for("EM"), price=lambda case: 1e6)
    monkeypatch.setattr(Study, "estimator_for", lambda self, name: dear)
    assert journal.remembered(law_rows, exact, points, tick=TICK) == first
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setattr(type(dear), "follow", None, raising=False)
    assert journal.remembered(law_rows, exact, points, tick=TICK) == first


def garbled(head, body):
    return [
        b"", head, head + b"\n", head + b"\n" + body[:100], b"\x00" * 50, b"{}\n" + body, body,
        *(head + b"\n" + text.ljust(len(body), b"\x00")[:len(body)] for text in (b"PK\x03\x04", b"\x93NUMPY", b"\x80\x04K\x01.", b"")),
        head + b"\n" + body[:40] + bytes(b ^ 255 for b in body[40:80]) + body[80:],
        head + b"\n" + body[:-60] + b"\x00" * 60,
    ]  # fmt: skip


def test_torn_and_foreign_files_are_skipped_with_one_line_and_computed_anew(unit, folder, caplog):
    unit(0)
    whole = file_of(folder).read_bytes()
    head, body = whole.split(b"\n", 1)
    for bad in garbled(head, body):
        journal.CACHE.forget()
        unit.calls.clear()
        caplog.clear()
        file_of(folder).write_bytes(bad)
        with caplog.at_level(logging.WARNING):
            same(unit(0), runs(0))
        assert unit.calls == [0], bad[:40]
        assert len(caplog.records) == 1, bad[:40]
        same(unit(0), runs(0))  # whole again
        assert unit.calls == [0]


def test_another_number_of_the_journal_is_not_code(unit, folder, tmp_path):
    """A pickle in an array is not run."""
    unit(0)
    head, body = file_of(folder).read_bytes().split(b"\n", 1)
    evil, mark = tmp_path / "evil.npz", tmp_path / "mark"

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(mark),)

    np.savez(evil, parts=np.array([Evil()], dtype=object))
    data = evil.read_bytes()
    file_of(folder).write_bytes(head.replace(b'"size": %d' % len(body), b'"size": %d' % len(data)) + b"\n" + data)
    unit.calls.clear()
    same(unit(0), runs(0))
    assert unit.calls == [0]
    assert not mark.exists()
    assert zipfile.is_zipfile(evil)


@pytest.mark.parametrize("why", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_folder_that_is_full_or_read_only_costs_nothing_but_the_memory(unit, folder, monkeypatch, why):
    def refuse(*args, **options):
        raise OSError(why, os.strerror(why))

    monkeypatch.setattr(cache.tempfile, "NamedTemporaryFile", refuse)
    same(unit(0), runs(0))
    same(unit(0), runs(0))
    assert unit.calls == [0, 0]
    assert not folder.exists() or not list(folder.iterdir())


def test_a_disk_that_fills_in_the_middle_of_a_file_leaves_none_behind(unit, folder, monkeypatch):
    def refuse(*names):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(cache.os, "replace", refuse)
        same(unit(0), runs(0))
    assert list(folder.iterdir()) == []
    unit(0)
    unit(0)
    assert unit.calls == [0, 0]


def test_a_folder_that_is_a_file_leaves_everything_working(unit, folder):
    folder.write_text("")
    for number in range(3):
        same(unit(number), runs(number))


def test_files_that_can_only_be_read_are_read(unit, folder, monkeypatch):
    unit(0)

    def refuse(*args, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(cache.os, "utime", refuse)
    same(unit(0), runs(0))
    assert unit.calls == [0]


def test_a_study_beside_a_full_disk_has_its_numbers(monkeypatch):
    def refuse(*args, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    alone = run(STUDY).to_json()["rows"]
    monkeypatch.setattr(cache.tempfile, "NamedTemporaryFile", refuse)
    assert run(STUDY, place=Here(journal.remembered)).to_json()["rows"] == alone


def test_an_interrupted_study_goes_on_from_its_units(tmp_path, monkeypatch):
    study, kept = replace(STUDY, schemes=("EM", "EI"), particles=8192), []
    monkeypatch.setattr(journal.CACHE, "keep", lambda name, *rest, keep=journal.CACHE.keep: (kept.append(name), keep(name, *rest)))
    place = Here(journal.remembered)
    monkeypatch.setenv("DLAB_CACHE", str(tmp_path / "other"))
    alone = run(study, place=place).to_json()["rows"]
    whole = len(kept)
    monkeypatch.setenv("DLAB_CACHE", str(tmp_path))
    kept.clear()

    class Stop(Exception):
        pass

    begun = []

    def first_alone(function, *given, **how):
        begun.append(function)
        if len(begun) > 1:
            while not kept:  # of the first one
                time.sleep(0.01)
            raise Stop
        return journal.remembered(function, *given, **how)

    with pytest.raises(Stop):
        run(study, place=Here(first_alone))
    before = len(kept)
    assert run(study, place=place).to_json()["rows"] == alone
    assert len(set(kept)) == len(kept) == whole
    assert 0 < before < whole


# ---------------------------------------------------------------- the folder's size


def test_a_folder_holds_so_many_bytes_and_drops_what_was_used_first(tmp_path):
    small = Cache("small", memory=0, files=100, size=5000)
    for i in range(12):
        small.keep(f"n{i}", bytes(1000), ["dlab.process"])
        os.utime(small.folder / f"n{i}", (1e9 + i, 1e9 + i))
    sizes = [p.stat().st_size for p in small.folder.iterdir()]
    assert sum(sizes) <= 5000 + 1200  # the last is written before the others are counted
    assert small.load("n11") == bytes(1000)
    assert small.load("n0") is None


def test_what_is_larger_than_the_folder_may_be_is_not_kept_there(tmp_path):
    small = Cache("small", memory=0, files=100, size=500)
    small.keep("large", bytes(1000), ["dlab.process"])
    assert small.load("large") is None
    assert sum(p.stat().st_size for p in small.folder.iterdir()) <= 500
