"""The lesson as one HTML file: scenes of plain values in, a page out that asks nobody for anything.

page.py      the file: scenes as JSON with the scripts and the style in one page
curve.py     a result as the picture, the numbers and the tables of a scene
film.py      a movie small enough for the file
live.py      a study as the engine in the browser takes it
text.py      our Markdown as HTML
engine.js    the laws on a Gaussian target, without a page; chart.js, film.js, lesson.js, lesson.css, lesson.html: the page
"""

from dlab.lesson import curve, film, live, text
from dlab.lesson.page import document

__all__ = ["curve", "document", "film", "live", "text"]
