"""A figure as SVG, PDF, PNG or HTML, a result as CSV or JSON, arrays as NPZ."""

import csv
import io
import re

import numpy as np

from dlab.cache import dumps
from dlab.figures import screen
from dlab.figures.chart import Chart, Sheet
from dlab.params import BadInput

MIME = {
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "png": "image/png",
    "html": "text/html",
    "csv": "text/csv",
    "json": "application/json",
    "npz": "application/octet-stream",
    "py": "text/x-python",
    "tex": "application/x-tex",
    "bib": "text/x-bibtex",
    "mp4": "video/mp4",
    "gif": "image/gif",
}
FIGURES = ("svg", "pdf", "png", "html")
PX_PER_INCH = 96  # a px is what a browser calls one: 9 pt are 12 px


def figure_bytes(chart: Chart | Sheet, fmt: str, *, dpi: int = 300, width_px: int | None = None, **options) -> bytes:
    """The figure as a file. options are those of `paper.to_matplotlib` (svg, pdf, png); dpi is for png.

    width_px stands instead of width_mm, 96 of them an inch: a png is exactly so many pixels wide, dpi or not.
    html is one page that works offline and takes no options. ValueError for an unknown format, and for both widths.
    """
    if fmt not in FIGURES:
        raise ValueError(f"format {fmt!r} is unknown; choose one of {', '.join(FIGURES)}")
    if fmt == "html":
        given = [*options, *(["width_px"] if width_px else [])]
        if given:
            raise ValueError(f"html takes no option {', '.join(given)}; the page adapts to the screen")
        return screen.standalone(chart).encode()
    if width_px is not None:
        if "width_mm" in options:
            raise ValueError(f"width_px = {width_px} and width_mm = {options['width_mm']} are both given; give one")
        # A hair more, because matplotlib cuts a width of 1199.9999 pixels to 1199.
        options["width_mm"], dpi = (width_px + 1e-6) / PX_PER_INCH * 25.4, PX_PER_INCH
    # Matplotlib takes a second to import, and a page that exports nothing should not wait for it.
    from dlab.figures import paper

    return paper.to_bytes(chart, fmt, dpi=dpi, **options)


def rows_csv(result: dict) -> bytes:
    """One line a row of the result, bare numbers, empty where there is none.

    Parts of a row become columns of their own ("bound_parts.score"), sentences are parted by " | ".
    """
    columns, flat = flat_rows(result)
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return file.getvalue().encode()


def rows_parquet(result: dict) -> bytes:
    """The table of `rows_csv` as a Parquet file, null where there is nothing. BadInput where pyarrow is not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise BadInput("--table parquet needs the package pyarrow (pip install pyarrow); install it, or take the csv.") from None
    columns, flat = flat_rows(result)
    file = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table({name: pyarrow.array([row.get(name) for row in flat]) for name in columns}), file)
    return file.getvalue().to_pybytes()


def flat_rows(result: dict) -> tuple[list[str], list[dict]]:
    """The columns of `rows_csv`, and a dict for each row."""
    flat = [_flat(row) for row in result.get("rows") or ()]
    names = dict.fromkeys(name for row in flat for name in row)
    return [n for n in names if not any(other.startswith(n + ".") for other in names)], flat


def _flat(row, head="") -> dict:
    out = {}
    for name, value in row.items():
        if isinstance(value, dict):
            out |= _flat(value, f"{head}{name}.")
        else:
            out[head + name] = " | ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
    return out


def result_json(result: dict) -> bytes:
    """The result file of the contract. ValueError if a NaN or an infinity has slipped in."""
    return (dumps(result, indent=1, ensure_ascii=False) + "\n").encode()


def arrays_npz(**arrays) -> bytes:
    """Named arrays in one compressed file, readable without pickle. TypeError for an array of objects."""
    arrays = {name: np.asarray(a) for name, a in arrays.items()}
    for name, a in arrays.items():
        if a.dtype.hasobject:
            raise TypeError(f"array {name!r} holds Python objects; give numbers")
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def filename(result: dict, fmt: str) -> str:
    """w2-logistic-EM-SO.svg: the target, and the schemes where they are few. ValueError for an unknown format."""
    if fmt not in MIME:
        raise ValueError(f"format {fmt!r} is unknown; choose one of {', '.join(MIME)}")
    study = result.get("study") or {}
    names = list(study.get("schemes") or dict.fromkeys(r["scheme"] for r in result.get("rows") or ()))
    words = ["w2", (study.get("target") or {}).get("name"), *(names if len(names) <= 3 else [f"{len(names)}schemes"])]
    return "-".join(re.sub(r"[^A-Za-z0-9_]+", "_", w) for w in words if w) + f".{fmt}"
