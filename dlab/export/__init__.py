"""Files to take away. No browser is needed, and the same input gives the same bytes.

files   a figure as SVG, PDF, PNG or HTML, a result as CSV or JSON, arrays as NPZ
grids   a grid as k-diffusion and diffusers take it
words   a result as a LaTeX table, a caption, Python that reproduces it; what to cite as BibTeX
movies  particles in motion, from a study to the player's bytes
film    particles in motion as MP4, GIF or a page that plays them
"""

from dlab.export.files import (
    FIGURES,
    MIME,
    arrays_npz,
    figure_bytes,
    filename,
    flat_rows,
    result_json,
    rows_csv,
    rows_parquet,
)
from dlab.export.film import FILMS, film_bytes, missing
from dlab.export.grids import sigmas_text, timesteps_text
from dlab.export.words import bibtex, caption, latex_table, motion_caption, motion_snippet, snippet

__all__ = [
    "FIGURES",
    "FILMS",
    "MIME",
    "arrays_npz",
    "bibtex",
    "caption",
    "figure_bytes",
    "filename",
    "film_bytes",
    "flat_rows",
    "latex_table",
    "missing",
    "motion_caption",
    "motion_snippet",
    "result_json",
    "rows_csv",
    "rows_parquet",
    "sigmas_text",
    "snippet",
    "timesteps_text",
]
