"""A walk through a copy of the lab that has one scheme, target, estimator and two score errors more.

`tests/test_additions.py` makes the copy by the recipes of docs/ARCHITECTURE.md and starts `python walk.py OUT` in it, which writes
{check: traceback, or "" where all is well} to the file OUT, the copy's own tests of its registries last.
"""

import contextlib
import io
import json
import sys
import tempfile
import traceback
from functools import partial
from pathlib import Path

import apptest
import pytest
import streamlit
from apptest import plain

ROOT = Path.cwd()
EXPANDER = streamlit.expander
EXACT = {"target": "gaussian", "schemes": "EM,HEUN", "h": "0.5..0.25", "T": "2", "panels": "HEUN", "step": "0.5", "moving": "500"}
SAMPLED = {"target": "ridge", "schemes": "HEUN,SO", "h": "1..0.5", "T": "2", "particles": "256", "panels": "HEUN", "step": "1"}
GAUSSIAN = {"name": "gaussian", "mean": [-0.4, 0.9], "cov": [[0.45, 0.42], [0.42, 1.45]]}


def study(**changes):
    from dlab.study import Study

    return Study.from_json({"target": GAUSSIAN, "schemes": ["EM", "HEUN"], "h": [0.5, 0.25, 0.125], "T": 2.0, "particles": 256, **changes})


def rows_of(result, name):
    return [r for r in result["rows"] if r["scheme"] == name]


def finite(value):
    """Strict JSON, all of it."""
    json.dumps(value, allow_nan=False)
    return value


# ---------------------------------------------------------------- numbers


def check_exact_law():
    """On a Gaussian the affine map of a step is read off, for a scheme and an error that nobody has told it of."""
    import jax
    import numpy as np

    from dlab import errors, schemes, targets
    from dlab.grid import uniform
    from dlab.laws import gaussian
    from dlab.sample import simulate, starts
    from dlab.study import run

    target, scheme = targets.build(GAUSSIAN), schemes.REGISTRY["HEUN"]
    for spec in ({"name": "none"}, {"name": "swap", "level": 0.2}):
        error = errors.build(spec)
        law = gaussian.propagate(scheme, target, error, grid=uniform(2.0, 4), start="exact")
        begin, _ = starts(target, jax.random.key(0), 8192, 2.0, "exact")
        x = simulate(scheme, target.field, error, begin, grid=uniform(2.0, 4), key=jax.random.key(1)).x
        assert np.all(np.abs(x.mean(0) - law.mean[-1]) < 5 * x.std(0) / np.sqrt(len(x)))
        np.testing.assert_allclose(np.cov(x.T), law.cov[-1], atol=0.08)
    result = finite(run(study(h=[1 / 16, 1 / 32, 1 / 64])).to_json())
    assert {r["method"] for r in result["rows"]} == {"exact"}
    slopes = {f["scheme"]: f["slope"] for f in result["fits"]}
    assert abs(slopes["HEUN"] - 2) < 0.1 < abs(slopes["EM"] - 2)


def check_no_theorem_is_a_null_bound_and_a_note():
    from dlab import schemes, theory
    from dlab.study import run

    result = finite(run(study(reach=[0.1])).to_json())
    mine = next(f for f in result["fits"] if f["scheme"] == "HEUN")
    assert mine["theory_order"] is mine["theory_c1"] is mine["theory_c2"] is None
    assert all(r["bound"] is None for r in rows_of(result, "HEUN"))
    assert all(r["bound"] > 0 for r in rows_of(result, "EM"))
    assert any("HEUN" in note and theory.NO_THEOREM in note for note in result["notes"])
    assert next(t for t in result["reach_trends"] if t["scheme"] == "HEUN")["theory_slope"] is None
    facts = study().built.facts
    assert theory.plan(schemes.REGISTRY["HEUN"], facts, 0.1, start="exact", T=2.0).void == theory.NO_THEOREM


def check_the_target_and_the_estimator():
    from dlab.study import run

    result = finite(run(study(target={"name": "ridge"}, schemes=["HEUN"], h=[0.5], estimator="projected")).to_json())
    other = finite(run(study(target={"name": "ridge"}, schemes=["HEUN"], h=[0.5], estimator="means")).to_json())
    assert result["facts"]["m0"] == 1
    assert (other["rows"][0]["method"], result["rows"][0]["method"]) == ("means", "projected")
    assert other["rows"][0]["w2"] <= result["rows"][0]["w2"] + 5 * result["rows"][0]["stderr"]


def check_errors():
    from dlab.answers import bounds
    from dlab.params import BadInput
    from dlab.study import run

    varied = {"axis": "score_error.level", "values": [0, 0.1, 0.2]}
    result = finite(run(study(score_error={"name": "swap", "level": 0.1}, vary=varied)).to_json())
    assert rows_of(result, "EM")[0]["error_level_met"] == 0
    one = study(score_error={"name": "swap", "level": 0.1}, schemes=["EM"], h=[0.5])
    score = next(a for a in bounds.checklist(one) if a.number == "3")
    assert score.values[0][1] is None, "a level that is no norm is not taken for one"
    assert next(a for a in bounds.checklist(one, {"EM": 0.2}) if a.number == "3").values[0][1] == 0.2
    cut = {"name": "cut", "length": 3}
    with pytest.raises(BadInput, match="level"):
        study(score_error=cut, vary=varied)
    assert run(study(score_error=cut, h=[0.5], schemes=["HEUN"])).rows[0].error_level_met > 0


def check_exports():
    from dlab import export
    from dlab.answers.estimators import compare
    from dlab.figures import compare as ways
    from dlab.figures import convergence, tables
    from dlab.study import Study, run

    result = run(study(score_error={"name": "swap", "level": 0.1})).to_json()
    assert len(tables.table(result)) == 2
    assert tables.sentence(result)
    *_, found = compare(study(target={"name": "ridge"}, schemes=["HEUN"], h=[0.5]), "HEUN")
    assert "means" in {r["method"] for r in found["rows"]}
    other = run(study(target={"name": "ridge"}, schemes=["HEUN"], h=[1.0, 0.5], estimator="means")).to_json()
    for chart in (convergence.chart(result), convergence.chart(other), ways.chart(found)):
        for kind in ("svg", "pdf", "png", "html"):
            assert len(export.figure_bytes(chart, kind)) > 1000
    for one in (result, other):
        assert b"HEUN" in export.rows_csv(one)
        assert "HEUN" in export.latex_table(one)
        assert export.caption(one)
        assert Study.from_json(json.loads(export.result_json(one))["study"]) == Study.from_json(one["study"])
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(export.snippet(one), "snippet", "exec"), {})
        assert "HEUN" in printed.getvalue()


def check_shell():
    from dlab.__main__ import main

    def said(*arguments):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            assert main(list(arguments)) in (None, 0)
        return out.getvalue()

    listed = said("list")
    assert all(name in listed for name in ("HEUN", "ridge", "swap", "cut", "means"))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.json"
        plain = study(target={"name": "ridge"}, schemes=["HEUN"], h=[0.5], score_error={"name": "swap", "level": 0.1}, estimator="means")
        file.write_text(json.dumps(plain.to_json()))
        assert said("check", str(file)).startswith("ok")
        said("run", str(file), "--out", folder)
        assert json.loads((Path(folder) / "result.json").read_text())["rows"][0]["scheme"] == "HEUN"
        assert all((Path(folder) / name).stat().st_size > 100 for name in ("rows.csv", "figure.html", "figure.svg"))


def check_tables_of_the_readme():
    import runpy

    tables = runpy.run_path("docs/tables.py")
    assert tables["main"](["--check"]) == 1, "the new rows are not there yet"
    assert tables["main"]([]) == tables["main"](["--check"]) == 0
    text = Path("README.md").read_text()
    assert all(f"| {name} |" in text for name in ("HEUN", "ridge", "swap", "cut", "means"))


# ---------------------------------------------------------------- pages


def opened(page, query):
    """The page of a link with all its sections open; its runs are started where it waits."""
    from dlab.ui import process

    process.begin = lambda: True  # nothing compiles in the background
    streamlit.expander = partial(_opened, streamlit.session_state)
    at = apptest.visit(page, query)
    for _ in range(3):
        assert not at.error, [e.value for e in at.error]
        waiting = [b for b in at.button if b.label.startswith("Run (")]
        if not waiting:
            return at
        waiting[0].click().run()
    return at


# Sections whose numbers come from a scheme, an error and a target of their own, and not from the registries.
THEIRS = {f"{name}-open" for name in ("adaptive", "dial", "multilevel", "step-levels", "once", "constant", "martingale", "signs")}


def _opened(state, label, **options):
    if "key" in options and options["key"] not in state and options["key"] not in THEIRS:
        state[options["key"]] = True
    return EXPANDER(label, **options)


def check_convergence():
    at = opened("convergence", {**EXACT, "error": "swap", "e_level": "0.1"})
    assert "no theorem" in plain(at)
    assert len(at.get("plotly_chart")) >= 1
    assert "Cut score" in {o for s in at.selectbox for o in s.options}


def check_convergence_sampled():
    at = opened("convergence", {**SAMPLED, "estimator": "means", "error": "cut"})
    assert "Distance of the means" in plain(at)


def check_particles():
    assert opened("particles", {**EXACT, "error": "swap", "e_level": "0.1"}).get("bidi_component")


def check_score_error():
    at = opened("score_error", {**EXACT, "model": "swap", "levels": "0.1..0.2"})
    assert len(at.get("plotly_chart")) >= 4
    models = next(s for s in at.selectbox if s.label == "Score error").options
    assert "Swapped coordinates" in models
    assert "Cut score" not in models


def check_budget():
    assert "no theorem" in plain(opened("budget", {**EXACT, "distances": "0.5..0.2"}))


def check_horizon():
    assert opened("horizon", {**EXACT, "fine": "0.5", "horizons": "1..2"}).get("plotly_chart")


def check_dimension():
    assert opened("dimension", {**EXACT, "dims": "1..4", "epsilon": "0.5"}).get("plotly_chart")


def check_theory():
    assert "no theorem" in plain(opened("theory", {**EXACT, "error": "swap", "e_level": "0.1"}))


def check_the_others():
    assert opened("learned", {**EXACT, "target": "ridge"})
    assert "HEUN" in plain(opened("outside", {**EXACT, "outside.case": "wide"}))
    pages = (("logistic", {"logistic.part": "csv", **EXACT}), ("images", EXACT), ("samplers", EXACT), ("schedules", EXACT), ("", {}))
    for page, query in pages:
        assert opened(page, query).title


if __name__ == "__main__":
    found = {}
    for name, check in list(globals().items()):
        if name.startswith("check_"):
            try:
                found[name] = check() or ""
            except Exception:
                found[name] = traceback.format_exc()
    # The tests of the registries, without the orders of a scheme: the target of their reference takes a quarter of a minute to build.
    files = [f"tests/{name}.py" for name in ("test_registries", "schemes/test_schemes", "schemes/test_formulas", "test_floors")]
    chosen = "(HEUN or ridge or swap or cut or means) and not strong_order"
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        status = pytest.main(["-q", "-p", "no:cacheprovider", "-n", "0", *files, "-k", chosen])
    found["registries"] = printed.getvalue()[-3000:] if status else ""
    Path(sys.argv[1]).write_text(json.dumps(found))
