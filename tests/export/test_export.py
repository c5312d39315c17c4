"""Files hold what was shown, open in their readers, work offline, and are the same bytes each time."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from dlab import export, measure
from dlab.figures import compare, density
from dlab.figures.convergence import chart
from dlab.figures.tables import sentence

RESULT = {
    "schema": 1,
    "study": {"target": {"name": "logistic"}, "schemes": ["EM", "SO"], "T": 4.0},
    "rows": [
        {"scheme": s, "h": h, "steps": int(4 / h), "score_evals": int(4 / h), "hessian_evals": 0, "particles": 4096,
         "w2": c * h**p, "stderr": 0.001, "lower": None, "upper": None, "floor": None, "method": "projected",
         "resolved": True, "bound": 16.0, "bound_parts": {"initialisation": 0.0, "score": 1.5}, "diverged": 0,
         "flags": ["first, with a comma", "second"] if h == 0.5 else []}
        for s, c, p in (("EM", 0.36, 1.0), ("SO", 0.13, 2.0))
        for h in (0.5, 0.25, 0.125)
    ],
    "fits": [{"scheme": "EM", "slope": 1.0, "slope_low": 0.98, "slope_high": 1.02, "constant": 0.36,
              "used": [0.25, 0.125], "theory_order": 0.5, "theory_c1": 16.2, "theory_c2": 3.3}],
    "notes": ["m₀ is proven"],
}  # fmt: skip
CHART = chart(RESULT)


def test_svg():
    data = export.figure_bytes(CHART, "svg")
    root = ElementTree.fromstring(data)
    assert root.tag.endswith("svg")
    assert float(root.get("width").removesuffix("pt")) == pytest.approx(160 / 25.4 * 72, rel=0.01)
    text = data.decode()
    for said in ("W₂ (projected, 4096 paths)", "step size h", "EM", "1/4"):
        assert f"<!-- {said} -->" in text  # drawn as outlines, named in a comment
    assert sentence(RESULT) in "".join(root.itertext())
    assert "<text" not in text


def test_pdf():
    reader = PdfReader(io.BytesIO(export.figure_bytes(CHART, "pdf", width_mm=85)))
    assert len(reader.pages) == 1
    assert float(reader.pages[0].mediabox.width) == pytest.approx(85 / 25.4 * 72, rel=0.01)
    assert reader.metadata.title == CHART.title
    assert "step size h" in reader.pages[0].extract_text()
    fonts = [f.get_object() for f in reader.pages[0]["/Resources"]["/Font"].values()]
    assert {f["/Subtype"] for f in fonts} <= {"/Type0", "/TrueType"}  # no Type 3: journals refuse it


def test_png():
    image = Image.open(io.BytesIO(export.figure_bytes(CHART, "png", width_mm=100, dpi=200)))
    assert image.size[0] == pytest.approx(100 / 25.4 * 200, abs=1)
    assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 20
    grey = np.asarray(Image.open(io.BytesIO(export.figure_bytes(CHART, "png", dpi=60, grey=True))).convert("RGB"))
    assert np.ptp(grey.astype(int), axis=2).max() < 40


@pytest.mark.parametrize("width", [333, 800, 1201, 3000])
def test_png_is_as_many_pixels_wide_as_asked(width):
    assert Image.open(io.BytesIO(export.figure_bytes(CHART, "png", width_px=width, font_pt=6))).size[0] == width


def test_options_that_do_not_fit_are_said():
    with pytest.raises(ValueError, match="both given"):
        export.figure_bytes(CHART, "svg", width_px=500, width_mm=100)
    with pytest.raises(ValueError, match=r"at most 6\.67 or a wider figure"):
        export.figure_bytes(CHART, "svg", width_mm=50, font_pt=7)


# The other figures: every marker there is, and maps side by side.
WAYS = compare.chart({"scheme": "EM", "rows": [
    {"method": m, "h": h, "w2": h * (k + 1), "stderr": 0.01, "floor": 0.1 if m == "plugin" else None, "flags": []}
    for k, m in enumerate(measure.REGISTRY) for h in (0.5, 0.25)]})  # fmt: skip
SPOT = np.exp(-np.add.outer(np.linspace(-2, 2, 9) ** 2, np.linspace(-2, 2, 9) ** 2))
LAW = {"scheme": "EM", "h": 0.5, "w2": 0.1, "method": "exact", "grid_change": None, "flags": []}
MAPS = density.sheet({**LAW, "map": {"x": np.linspace(-2, 2, 9), "y": np.linspace(-2, 2, 9), "law": SPOT, "target": SPOT**1.1}})
FIGURES = {"curve": CHART, "ways": WAYS, "maps": MAPS}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_in_every_format_and_option(name):
    figure = FIGURES[name]
    for options in ({"width_mm": 60, "font_pt": 7.5}, {"width_px": 500, "font_pt": 8, "grey": True, "legend": False}):
        ElementTree.fromstring(export.figure_bytes(figure, "svg", **options))
        (page,) = PdfReader(io.BytesIO(export.figure_bytes(figure, "pdf", **options))).pages
        # A map is a picture by nature; a chart must be lines and letters.
        assert bool(page.images) == (name == "maps")
        picture = Image.open(io.BytesIO(export.figure_bytes(figure, "png", dpi=80, **options))).convert("RGB")
        if "grey" in options:
            assert picture.size[0] == 500
            assert np.ptp(np.asarray(picture).astype(int), axis=2).max() < (1 if name == "maps" else 40)
    page = export.figure_bytes(figure, "html").decode()
    assert page.count("Plotly.newPlot(") >= len(getattr(figure, "parts", (figure,)))
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=", page)


def test_html():
    page = export.figure_bytes(CHART, "html").decode()
    assert "Plotly.newPlot" in page
    assert len(page) > 1_000_000  # plotly.js is inside
    assert not re.search(r"<(script|link)[^>]*(src|href)=", page)
    call = page[page.rindex("Plotly.newPlot") :]
    assert re.search(r'"showSendToCloud": ?false', call)
    assert re.search(r'"displaylogo": ?false', call)
    assert f"<title>{CHART.title}</title>" in page
    assert sentence(RESULT) in page
    with pytest.raises(ValueError, match="grey"):
        export.figure_bytes(CHART, "html", grey=True)


@pytest.mark.parametrize("fmt", export.FIGURES)
def test_same_bytes(fmt):
    assert export.figure_bytes(CHART, fmt) == export.figure_bytes(CHART, fmt)


def test_threads():
    alone = export.figure_bytes(CHART, "svg")
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: export.figure_bytes(CHART, "svg"), range(6))) == {alone}


def test_unknown_format():
    with pytest.raises(ValueError, match="svg, pdf, png, html"):
        export.figure_bytes(CHART, "eps")
    with pytest.raises(ValueError, match="npz"):
        export.filename(RESULT, "exe")


def test_csv():
    lines = list(csv.DictReader(io.StringIO(export.rows_csv(RESULT).decode())))
    assert len(lines) == len(RESULT["rows"])
    for line, row in zip(lines, RESULT["rows"]):
        assert line["scheme"] == row["scheme"]
        assert (float(line["w2"]), float(line["h"]), int(line["steps"])) == (row["w2"], row["h"], row["steps"])
        assert line["lower"] == ""
        assert float(line["bound_parts.score"]) == 1.5
        assert line["flags"] == " | ".join(row["flags"])
    assert export.rows_csv({"rows": []}) == b"\n"


def test_csv_of_rows_with_and_without_a_bound():
    rows = [{"scheme": "EM", "bound_parts": None}, {"scheme": "SO", "bound_parts": {"score": 1.0}}]
    lines = list(csv.DictReader(io.StringIO(export.rows_csv({"rows": rows}).decode())))
    assert [line["bound_parts.score"] for line in lines] == ["", "1.0"]
    assert list(lines[0]) == ["scheme", "bound_parts.score"]


def test_json():
    assert json.loads(export.result_json(RESULT)) == RESULT
    with pytest.raises(ValueError, match="JSON"):
        export.result_json({"rows": [{"w2": float("nan")}]})


def test_npz():
    data = export.arrays_npz(x=np.arange(6.0).reshape(3, 2), h=[0.5, 0.25])
    with np.load(io.BytesIO(data), allow_pickle=False) as back:
        assert back["x"].shape == (3, 2)
        assert back["h"].tolist() == [0.5, 0.25]
    assert data == export.arrays_npz(x=np.arange(6.0).reshape(3, 2), h=[0.5, 0.25])
    with pytest.raises(TypeError, match="'rows'"):
        export.arrays_npz(rows=[{}])


def test_filename():
    assert export.filename(RESULT, "svg") == "w2-logistic-EM-SO.svg"
    many = {"study": {"target": {"name": "a/b c"}, "schemes": list("abcde")}}
    assert export.filename(many, "csv") == "w2-a_b_c-5schemes.csv"
    assert export.filename({}, "json") == "w2.json"
    assert set(export.FIGURES) <= set(export.MIME)
