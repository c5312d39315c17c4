"""The law beside its target: the maps are those densities, and the picture says the number between them."""

import numpy as np
import pytest
from cases import GAUSSIAN, LOGISTIC
from drawing import plotly

from dlab import answers, export
from dlab.answers.law import law_density
from dlab.figures import density
from dlab.params import BadInput
from dlab.study import Study

LINE = {"name": "mixture", "weights": [0.3, 0.7], "means": [[-0.5, -0.2], [0.7, 0.7]], "var": 0.45}


def study(target, name="EM", **more):
    return Study.from_json({"target": target, "schemes": [name], "h": [0.5], "T": 1.0, **more})


def found(target, name="EM", **more):
    return law_density(study(target, name, **more), name, 2)


def mass(values, found):
    x, y = (np.asarray(found["map"][k]) for k in ("x", "y"))
    return np.asarray(values).sum() * (x[1] - x[0]) * (y[1] - y[0])


@pytest.fixture(scope="module")
def gauss():
    return found(GAUSSIAN)


def test_the_maps_are_densities_with_a_common_scale(gauss):
    sheet = density.sheet(gauss)
    target, law, gap = sheet.parts
    assert target.limits == law.limits
    assert gap.limits[0] == -gap.limits[1]
    assert not target.signed
    assert gap.signed
    for part in (target, law):
        assert mass(part.values, gauss) == pytest.approx(1.0, abs=0.01)
        assert part.values.max() <= part.limits[1]
    np.testing.assert_allclose(gap.values, law.values - target.values)
    assert "W₂ = " in sheet.caption
    assert sheet.caption in sheet.alt
    # Rows are y: the first coordinate's mean is that of the target along the columns.
    x = np.asarray(gauss["map"]["x"])
    assert target.values.sum(0) @ x / target.values.sum() == pytest.approx(GAUSSIAN["mean"][0], abs=0.02)


def test_a_map_of_the_plane_is_that_of_the_closed_form(gauss):
    error = {"name": "field", "level": 0.0}  # not affine, so carried on a grid
    carried = found(GAUSSIAN, score_error=error)
    assert carried["method"] == "density"
    assert "refinement" in density.sheet(carried).caption
    assert carried["w2"] == pytest.approx(gauss["w2"], rel=0.01)
    for which in ("law", "target"):
        points = np.linspace(-1.5, 2.0, 9)
        a, b = (np.array([np.interp(points, f["map"]["x"], row) for row in f["map"][which]]).max() for f in (carried, gauss))
        assert a == pytest.approx(b, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("target", [LINE, GAUSSIAN])
def test_a_law_with_a_midpoint_is_drawn_as_it_is_in_the_plane(target):
    """Coarse maps: a scheme whose law is far from the target in density, not in its first moments alone."""
    for name, method in (("EM", "exact"), ("REM", "joint")):
        maps = found(target, name)
        assert maps["method"] == method
        assert mass(maps["map"]["law"], maps) == pytest.approx(1.0, abs=0.01)
        assert all(plotly(part).data for part in density.sheet(maps).parts)


def test_a_mixture_over_the_midpoint_has_a_higher_peak_than_the_gaussian_of_its_moments():
    maps = found({"name": "gaussian", "mean": [0, 0], "cov": [[0.3, 0], [0, 0.3]]}, "REM")["map"]
    law, x = np.asarray(maps["law"]), np.asarray(maps["x"])
    var = law.sum(0) @ x**2 / law.sum()
    assert law.max() > 1.02 / (2 * np.pi * var)


def test_no_law_and_no_finite_law_are_sentences():
    with pytest.raises(BadInput, match="law of REM"):
        answers.find("law").check(study(LOGISTIC, "REM"), "REM", 2)
    lost = found(GAUSSIAN, score_error={"name": "field", "level": 900.0})
    assert density.sheet(lost) is None
    assert "too large" in density.sentence(lost)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_screen_and_print(gauss, theme):
    sheet = density.sheet(gauss)
    for part in sheet.parts:
        (heat,) = plotly(part, theme).data
        assert (heat.zmin, heat.zmax) == part.limits
        clear = [at for at, colour in heat.colorscale if colour.endswith(",0.0)")]
        assert clear == ([0.5, 0.5] if part.signed else [0.0])
    for kind, magic in (("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")):
        assert export.figure_bytes(sheet, kind, dpi=60).startswith(magic)


def test_the_table_says_what_the_pointer_says(gauss):
    rows, piece = density.table(gauss), gauss["map"]
    assert len(rows) == 3
    law, target = np.asarray(piece["law"]), np.asarray(piece["target"])
    assert float(rows[0]["highest"]) == pytest.approx(target.max(), rel=6e-3)
    assert float(rows[2]["lowest"].replace("−", "-")) == pytest.approx((law - target).min(), rel=6e-3)
    assert rows[1]["lowest"] == "–"
    i, j = np.unravel_index(target.argmax(), target.shape)
    assert rows[0]["at"].replace("−", "-") == f"({piece['x'][j]:.2f}, {piece['y'][i]:.2f})"
