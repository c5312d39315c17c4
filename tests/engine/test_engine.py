"""What is kept, under which name, and with the fingerprint of which numerics."""

import json
import logging
import shutil
from dataclasses import fields, replace
from pathlib import Path

import pytest
from cases import GAUSSIAN

from dlab import answers, cache, engine, fingerprint, schemes
from dlab.cache import Cache
from dlab.study import Study, run
from dlab.study.spec import EXTENDED
from dlab.ui import links, prepared, scenes, studies

DLAB = Path(fingerprint.HERE)
ENTRIES = cache.index(cache.PREPARED)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A copy of the lab's sources, whose edits the fingerprints see: edit(file, old, new)."""
    here = tmp_path / "dlab"
    shutil.copytree(DLAB, here, ignore=lambda folder, names: [n for n in names if not (n.endswith(".py") or Path(folder, n).is_dir())])
    monkeypatch.setattr(fingerprint, "HERE", here)
    monkeypatch.setenv("DLAB_CACHE", str(tmp_path / "cache"))

    def clear():
        for place in (fingerprint._of, fingerprint._read):
            place.cache_clear()
        engine.CACHE.forget()

    def edit(file, old, new):
        text = (here / file).read_text()
        assert old in text
        (here / file).write_text(text.replace(old, new))
        clear()

    clear()
    yield edit
    monkeypatch.undo()
    clear()


def of_all() -> dict:
    return {name: fingerprint.of(entry["modules"]) for name, entry in ENTRIES.items()}


def scene(name) -> Study:
    return studies.study(links.read(scenes.BY_NAME[name].settings)[0])


def test_a_prepared_answer_of_other_numerics_is_not_served_and_the_log_says_so_once(tree, caplog):
    study = scene("halving")
    assert ENTRIES[study.key + ".json"]["file"] == "convergence-halving.json"
    engine.CACHE.keep(study.key + ".json", b"{}", ENTRIES[study.key + ".json"]["modules"])
    assert engine.kept(study) == {}
    tree("schemes/em.py", "* drift(field, t, x)", "* 2 * drift(field, t, x)")
    # Neither from the disk of this machine nor prepared.
    with caplog.at_level(logging.WARNING):
        assert engine.kept(study) is engine.kept(study) is None
    assert len(caplog.records) == 2
    assert "convergence-halving.json" in caplog.text


def test_memory_is_asked_for_its_numerics_too(tree, monkeypatch):
    engine.CACHE.keep("one", b"1", ["dlab.schemes.em"])
    assert engine.CACHE.load("one") == b"1"
    monkeypatch.setattr(fingerprint, "of", lambda modules: "others")
    assert engine.CACHE.load("one") is None


def test_only_what_starts_from_a_changed_module_is_orphaned(tree):
    before = of_all()
    tree("schemes/rem.py", "h * ", "2 * h * ")
    after = of_all()
    gone = {ENTRIES[name]["file"] for name in before if before[name] != after[name]}
    assert "convergence-evaluations.json" in gone
    assert not gone & {"convergence-halving.json", "learned-skew-network.npz", "particles-watch.movie"}
    assert all("dlab.schemes.rem" in ENTRIES[name]["modules"] for name in before if before[name] != after[name])


WORDS = (
    ("schemes/em.py", '"""EM, Euler-Maruyama', '"""Euler and Maruyama'),
    ("schemes/em.py", "Euler–Maruyama", "Euler-Maruyama"),
    ("schemes/em.py", "def parts", "# by definition\n\n\ndef parts"),
    ("measure/exact.py", "No sampling, no error", "No sampling and so no error"),
    ("ui/frame.py", '"""', '"""Anew. '),
    ("ui/studies.py", "LADDER[2:]", "LADDER[3:]"),
    ("figures/tables.py", "def ", "def  "),
    ("schemes/__init__.py", "em.SCHEME, ei", "em.SCHEME,  ei"),
    ("schemes/__init__.py", "REGISTRY", "OTHER"),
)


def test_words_pages_pictures_and_registries_throw_nothing_away(tree):
    before = of_all()
    for edit in WORDS:
        tree(*edit)
    (fingerprint.HERE / "schemes" / "mine.py").write_text("from dlab.schemes.base import Scheme\n")
    assert of_all() == before


def test_every_prepared_answer_is_found_after_a_scheme_is_added(monkeypatch):
    """Its name depends on what enters it, and a registry of more does not."""
    added = replace(schemes.REGISTRY["EM"], name="MINE")
    before = {name: file.key for name, file in prepared.files().items()}
    others = dict(schemes.REGISTRY)
    schemes.REGISTRY.clear()
    schemes.REGISTRY.update({"MINE": added} | others)
    try:
        after = {name: file.key for name, file in prepared.files().items()}
    finally:
        schemes.REGISTRY.clear()
        schemes.REGISTRY.update(others)
    assert before == after
    assert set(after.values()) == set(ENTRIES)


def test_the_index_says_of_each_file_what_it_is_and_how_it_is_made():
    for entry in ENTRIES.values():
        assert entry["command"] == f"python -m dlab.ui.prepared {entry['file'].split('.')[0]}"
        assert entry["page"] in entry["file"].split("-")[0] or entry["file"].startswith(("convergence", "opening"))
        assert {"shown", "kind", "modules", "fingerprint"} <= set(entry)
        assert len(entry["modules"]) > 2 or entry["kind"] == "network"


def test_the_command_writes_what_is_missing_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DLAB_CACHE", str(tmp_path / "cache"))
    among = {name: file for name, file in prepared.files().items() if name in ("convergence-halving", "convergence-floor")}
    folder = tmp_path / "prepared"
    engine.CACHE.forget()
    folder.mkdir()
    (folder / "old.json").write_text("{}")
    monkeypatch.setattr(prepared, "files", lambda: among)
    monkeypatch.setattr(cache, "PREPARED", folder)
    assert prepared.main(["--check"]) == 1
    assert prepared.main([]) == 0
    assert prepared.main(["--check"]) == 0
    assert {p.name for p in folder.iterdir()} == {"index.json", "convergence-halving.json", "convergence-floor.json"}
    (folder / "convergence-floor.json").unlink()
    written = (folder / "convergence-halving.json").stat().st_mtime_ns
    capsys.readouterr()
    assert prepared.main([]) == 0
    assert "convergence-floor.json" in capsys.readouterr().out
    assert (folder / "convergence-halving.json").stat().st_mtime_ns == written
    new, old = (json.loads((place / "convergence-halving.json").read_text())["rows"] for place in (folder, DLAB / "prepared"))
    assert [r["w2"] for r in new] == pytest.approx([r["w2"] for r in old], rel=1e-9)
    with pytest.raises(SystemExit):
        prepared.main(["convergence-nothing"])
    cache.index.cache_clear()


def test_a_cache_keeps_the_last_in_memory_and_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("DLAB_CACHE", str(tmp_path))
    kept = Cache("some", memory=2, files=3)
    for i in range(5):
        kept.keep(f"n{i}", b"\n%d" % i, ["dlab.process"])
    assert len(list((tmp_path / "some").iterdir())) == 3
    assert kept.head("n1") is None
    kept.forget()
    assert kept.load("n4") == b"\n4"
    assert kept.load("n0") is None
    kept.keep("here", b"", ["dlab.process"], disk=False)
    kept.keep("nowhere", b"", ["dlab.process", "a.notebook"])
    assert kept.load("here") == b""
    assert kept.load("nowhere") is None
    (tmp_path / "some" / "n4").write_bytes(b"torn")
    kept.forget()
    assert kept.load("n4") is None


def test_a_disk_that_cannot_be_written_costs_nothing_but_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DLAB_CACHE", str(tmp_path / "file"))
    kept = Cache("some", memory=2, files=2)
    kept.keep("one", b"1", ["dlab.process"])
    assert kept.load("one") == b"1"


def test_the_key_of_a_study_is_what_it_asks_for():
    study = Study.from_json({"target": GAUSSIAN, "h": [0.5]})
    later = type("Later", (Study,), {"to_json": lambda self: {**Study.to_json(self), "growth": None}})
    asked = {f.name: getattr(study, f.name) for f in fields(Study)}
    assert later(**asked).key == study.key
    assert replace(study, seed=1).key != study.key
    assert Study.from_json(study.to_json()).key == study.key
    assert study.schemes == ("EM", "EI", "REM", "REI", "SO")


def test_a_target_from_python_is_never_kept(gaussian, tmp_path, monkeypatch):
    monkeypatch.setenv("DLAB_CACHE", str(tmp_path))
    study = Study.from_json({"target": gaussian, "h": [0.5], "schemes": ["EM"]})
    assert engine.exact(study)["rows"][0]["w2"] == run(study).rows[0].w2
    assert engine.kept(study) is None


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize("entry", answers.REGISTRY.values(), ids=lambda a: a.name)
def test_an_answer_says_what_it_reads_and_asks_for(entry):
    study = Study.from_json({"target": GAUSSIAN, "h": [0.5]})
    assert set(entry.reads) <= {*study.to_json(), *EXTENDED}
    # What is of a fixed law reads the seed at most.
    assert "target" in entry.reads or set(entry.reads) <= {"seed"}
    assert entry.title
    assert answers.find(entry.name) is entry
    assert answers.find(entry.alias or entry.name) is entry
    which = [{"scheme": "EM", "steps": 8, "count": 4, "t": 0.2, "g": 3.0, "condition": 10.0}[a] for a in entry.arguments]
    unread = [{key: value} for key, value in (("accuracy", 0.1), ("budget", 9)) if key not in entry.reads]
    names = {engine.answer_name(entry.name, replace(study, **changed), *which) for changed in ({}, *unread)}
    assert len(names) == 1
    assert engine.answer_name(entry.name, study, *which, "else") not in names
    assert (engine.answer_name(entry.name, replace(study, seed=5), *which) in names) == ("seed" not in entry.reads)


def test_what_overflows_is_null_in_strict_json():
    """The recursion of a stiff target grows beyond every double."""
    study = Study.from_json({"target": {"name": "gaussian", "mean": [0.0, 0.0], "cov": [[1.0, 0.0], [0.0, 1e-4]]}, "T": 50, "h": [0.1]})
    found = engine.answer("along", study, 500)
    assert None in found["e"]
    assert found["e"][0] is not None
    assert json.loads(cache.dumps(found)) == found
    with pytest.raises(ValueError, match="JSON"):
        cache.dumps({"e": float("inf")})
