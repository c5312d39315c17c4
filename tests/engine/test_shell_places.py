"""The shell on worker processes and on a Dask cluster: the same bytes as here, workers of other numerics refused, runs that go on."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import dask
import distributed
import pytest
from cases import GAUSSIAN, LOGISTIC, SKEW

from dlab import __main__ as shell
from dlab import engine, pictures
from dlab.engine import pool
from dlab.engine.journal import CACHE as UNITS
from dlab.study import Study

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 1800.0  # seconds, on a machine with many others
PAPER = ["EM", "EI", "REM", "REI", "SO"]
LEARNED = {"name": "learned", "samples": 512, "width": 16, "depth": 1, "updates": 200}
QUICK = {
    "exact": {"target": GAUSSIAN, "schemes": PAPER, "h": [0.5, 0.25], "T": 2.0},
    "sampled": {"target": GAUSSIAN, "schemes": ["EM", "REI"], "h": [0.5, 0.25], "T": 2.0, "particles": 2500,
                "estimator": "projected"},
    "varied": {"target": GAUSSIAN, "schemes": ["EM"], "h": [0.5], "estimator": "projected", "particles": 1024,
               "score_error": {"name": "field", "level": 0.1}, "vary": {"axis": "T", "values": [1, 2]}},
}  # fmt: skip
SAMPLED = {"target": LOGISTIC, "schemes": ["EM", "SO"], "h": [0.5, 0.25], "T": 2.0, "particles": 2048}
LONG = {
    **QUICK,
    "logistic": {**SAMPLED, "schemes": PAPER, "particles": 4096},
    "skew": {**SAMPLED, "target": SKEW, "estimator": "projected"},
    "coupled": {**SAMPLED, "estimator": "coupled", "seed": 7},
    "plugin": {**SAMPLED, "estimator": "plugin", "particles": 600},
    "sliced": {**SAMPLED, "estimator": "sliced", "start": "paper"},
    "laws": {"target": SKEW, "schemes": PAPER, "h": [0.5, 0.25], "T": 2.0},
    "density": {"target": LOGISTIC, "schemes": ["EM", "SO"], "h": [0.5], "T": 2.0, "estimator": "density"},
    "wells": {**SAMPLED, "target": {"name": "wells", "a": -1.5, "k": 1.0}, "estimator": "projected"},
    "reach": {"target": GAUSSIAN, "schemes": ["EM", "SO"], "h": [0.5, 0.25], "T": 2.0, "reach": [0.2, 0.05]},
    "reach-sampled": {**SAMPLED, "schemes": ["EM"], "reach": [0.2]},
    "level": {**SAMPLED, "score_error": {"name": "constant", "level": 0.1}, "vary": {"axis": "score_error.level", "values": [0.1, 0.2]}},
    "dimension": {"target": {"name": "spectrum", "shape": "power", "dim": 4}, "schemes": PAPER, "h": [0.5], "T": 2.0,
                  "vary": {"axis": "d", "values": [2, 16]}},
    "fresh": {**SAMPLED, "score_error": {"name": "noise", "level": 0.2}},
    "learned": {"target": SKEW, "schemes": ["EM", "SO"], "h": [0.5], "T": 2.0, "particles": 1024, "score_error": LEARNED},
    "karras": {"target": GAUSSIAN, "schemes": ["EM", "DDPM", "2M"], "steps": [4, 8], "grid": {"name": "karras", "sigma_max": 7},
               "stop": 1e-7},
    "karras-sampled": {"target": LOGISTIC, "schemes": ["DDIM", "SHEUN"], "steps": [4, 8], "grid": {"name": "karras", "sigma_max": 7},
                       "particles": 1500},
    "accuracy": {**SAMPLED, "schemes": ["EM", "REM"], "particles": 1024, "accuracy": 0.02, "budget": 1_500_000},
    "images": {"target": {"name": "images", "data": "digits", "count": 50, "width": 0.5}, "schemes": ["EM"], "h": [0.5], "T": 2.0,
               "particles": 256},
}  # fmt: skip


def environment(cache, **more) -> dict:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "DLAB_CACHE": str(cache), "DASK_LOGGING__DISTRIBUTED": "error", **more}


class Cluster:
    """A scheduler and workers as one types them, in processes of their own."""

    def __init__(self, folder):
        self.folder, self.file, self.processes = folder, folder / "scheduler.json", []

    def _dask(self, *typed, **env):
        command, where = [sys.executable, "-m", "dask", *map(str, typed)], environment(self.folder / "cache", **env)
        with (self.folder / f"{len(self.processes)}.log").open("wb") as out:
            self.processes.append(subprocess.Popen(command, env=where, cwd=self.folder, stdout=out, stderr=out))
        return self

    def schedule(self, protocol="tcp", **env) -> "Cluster":
        self._dask("scheduler", "--host", f"{protocol}://127.0.0.1", "--port", 0, "--no-dashboard", "--scheduler-file", self.file, **env)
        end = time.monotonic() + PATIENCE
        while self.address is None and time.monotonic() < end and self.processes[0].poll() is None:
            time.sleep(0.1)
        return self

    def work(self, count=1, **env) -> "Cluster":
        for _ in range(count):
            self._dask("worker", "--preload", "dlab.engine.worker", "--nthreads", 1, "--no-dashboard", "--no-nanny", self.address, **env)
        return self

    @property
    def address(self) -> str | None:
        """None while the file is not there or half written."""
        try:
            return json.loads(self.file.read_text())["address"]
        except (OSError, ValueError):
            return None

    def end(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """No test fails because a process takes long to start."""
    named, connect = engine.places._named, engine.places._connect
    monkeypatch.setattr(engine.places, "_named", lambda scheduler, timeout: named(scheduler, PATIENCE))
    monkeypatch.setattr(engine.places, "_connect", lambda scheduler, workers: connect(scheduler, workers, wait=PATIENCE))


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path)
    yield made
    made.end()


@pytest.fixture
def cache(monkeypatch):
    """Makes a folder the cache of this process."""

    def use(folder):
        monkeypatch.setenv("DLAB_CACHE", str(folder))
        engine.CACHE.forget()

    return use


def results(tmp_path, cache, name, studies, *typed) -> dict[str, bytes]:
    """What `run` writes as results of studies that nothing is kept of."""
    cache(tmp_path / f"cache-{name}")
    folder, out = tmp_path / "studies", tmp_path / name
    folder.mkdir(exist_ok=True)
    for each, study in studies.items():
        (folder / f"{each}.json").write_text(json.dumps(study))
    assert shell.main(["run", str(folder), "--out", str(out), *typed]) == 0
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.name in ("result.json", "rows.csv")}


def same(tmp_path, cache, cluster, studies, counts):
    here = results(tmp_path, cache, "here", studies)
    assert len(here) == 2 * len(studies) + 1
    for count in counts:
        assert results(tmp_path, cache, f"{count}-workers", studies, "--workers", str(count)) == here
    cluster.schedule().work(2)
    assert results(tmp_path, cache, "cluster", studies, "--scheduler", cluster.address) == here


@pytest.mark.slow
def test_two_nodes_and_workers_give_the_bytes_that_this_process_gives(tmp_path, cache, cluster):
    same(tmp_path, cache, cluster, QUICK, [2])


@pytest.mark.long
def test_twenty_studies_are_the_same_bytes_on_one_worker_two_and_two_nodes(tmp_path, cache, cluster):
    assert len(LONG) >= 20
    same(tmp_path, cache, cluster, LONG, [1, 2])


@pytest.mark.slow
def test_a_worker_of_other_numerics_is_refused(tmp_path, cache, cluster, capsys):
    tree = tmp_path / "other"
    shutil.copytree(ROOT / "dlab", tree / "dlab", ignore=lambda folder, names: [n for n in names if n in ("prepared", "__pycache__")])
    scheme = tree / "dlab" / "schemes" / "em.py"
    changed = re.sub(r"\* drift\(", "* 1.0 * drift(", scheme.read_text())
    assert changed != scheme.read_text()
    scheme.write_text(changed)
    cluster.schedule().work(1, PYTHONPATH=str(tree))
    file = tmp_path / "study.json"
    file.write_text(json.dumps(QUICK["exact"]))
    assert shell.main(["run", str(file), "--scheduler", cluster.address, "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "numerics" in err
    assert not list((tmp_path / "out").iterdir())
    # Beside one of these numerics it gets nothing.
    cluster.work(1)
    with distributed.Client(cluster.address, timeout=PATIENCE, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=PATIENCE)
    engine.start(cluster.address)
    try:
        assert len(engine.places.place().workers) == 1
    finally:
        engine.stop()


@pytest.mark.slow
def test_a_run_whose_shell_was_killed_goes_on_from_its_units(tmp_path, cache):
    file, kept, others = tmp_path / "study.json", tmp_path / "cache", tmp_path / "others"
    file.write_text(json.dumps({**QUICK["sampled"], "schemes": ["EM"], "particles": 40 * 1024}))

    def run(out) -> list[str]:
        return ["run", str(file), "--out", str(tmp_path / out)]

    def units(folder=kept):
        """Which unit lies in which file: a unit that is computed again gets a new one."""
        return {p.name: p.stat().st_ino for p in (folder / UNITS.part).glob("*.*")} if (folder / UNITS.part).exists() else {}

    with subprocess.Popen([sys.executable, "-m", "dlab", *run("out")], env=environment(kept), stderr=subprocess.PIPE) as killed:
        while len(units()) < 2 and killed.poll() is None:
            time.sleep(0.005)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    assert killed.returncode == -signal.SIGKILL
    before = units()
    assert len(before) >= 2
    assert not list((tmp_path / "out").iterdir())
    cache(kept)
    assert shell.main(run("out")) == 0
    after = units()
    assert before.items() <= after.items()
    assert len(after) > len(before)
    cache(others)
    assert shell.main(run("fresh")) == 0
    assert units(others).keys() == after.keys()
    assert (tmp_path / "out" / "result.json").read_bytes() == (tmp_path / "fresh" / "result.json").read_bytes()


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate")
def test_a_cluster_that_speaks_tls(tmp_path, cache, cluster, monkeypatch, capsys):
    """As the README says: the same variables for scheduler, worker and shell."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "1", "-subj", "/CN=dlab"],
        check=True, capture_output=True,
    )  # fmt: skip
    head = "DASK_DISTRIBUTED__COMM__"
    variables = {f"{head}REQUIRE_ENCRYPTION": "True", f"{head}TLS__CA_FILE": str(cert)} | {
        f"{head}TLS__{who}__{what}": str(path) for who in ("SCHEDULER", "WORKER", "CLIENT") for what, path in (("KEY", key), ("CERT", cert))
    }
    cluster.schedule("tls", **variables).work(1, **variables)
    assert cluster.address.startswith("tls://")
    file, out = tmp_path / "study.json", tmp_path / "out"
    file.write_text(json.dumps({**QUICK["sampled"], "schemes": ["EM"]}))
    command = ["run", str(file), "--scheduler", cluster.address, "--out", str(out)]
    assert shell.main(command) == 2  # without them
    assert cluster.address in capsys.readouterr().err
    cache(tmp_path / "own")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    dask.config.refresh()
    try:
        assert shell.main(command) == 0
    finally:
        monkeypatch.undo()
        dask.config.refresh()
    assert len(json.loads((out / "result.json").read_text())["rows"]) == 2
    assert not (tmp_path / "own" / UNITS.part).exists()  # the units ran elsewhere


def test_a_worker_is_told_where_images_lie_that_stand_beside_the_study_file(tmp_path, monkeypatch):
    from PIL import Image

    (tmp_path / "faces").mkdir()
    for i in range(3):
        Image.new("L", (4, 4), 60 * i).save(tmp_path / "faces" / f"{i}.png")
    file = tmp_path / "study.json"
    file.write_text(json.dumps({"target": {"name": "images", "data": "faces", "width": 0.5}, "schemes": ["EM"], "h": [0.5]}))
    study = shell._read(str(file))
    told = json.loads(pool._text(study))["target"]["data"]
    monkeypatch.setattr(pictures, "beside", None)
    assert Path(told) == (tmp_path / "faces").resolve()
    assert Study.from_json({**study.to_json(), "target": {**study.target, "data": told}}).built.dim == 16
    monkeypatch.setenv("DLAB_DATA", str(tmp_path))  # where a worker finds it by its name
    assert pool._text(study) == json.dumps(study.to_json())
