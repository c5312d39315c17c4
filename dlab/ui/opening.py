"""Home's opening: EM beside SO on the same noise, at step sizes that halve, with the curve of their errors as it is built.

All of it is one prepared movie; nothing is computed while somebody watches.
"""

import zlib
from functools import cache

from dlab import engine, measure
from dlab.export import movies
from dlab.figures import particles
from dlab.figures.movie import decode, dressed, packet
from dlab.study import Study
from dlab.ui import links, studies
from dlab.ui.movies import movie_key
from dlab.ui.player import component
from dlab.ui.runs import progress, session

# A target that no scheme has by its noise alone: narrow, and bent to one side.
SETTINGS = {"target": "skew", "panels": "EM,SO", "step": "1"}
COUNT, FRAMES = 400, 32  # particles a panel, frames of sampling a step size


@cache
def study() -> Study:
    """What Home shows, at its coarsest step size."""
    return studies.moving_study(links.read(SETTINGS)[0])


def name() -> str:
    """What its movie is kept under."""
    return f"{movie_key(study(), study().steps[-1], COUNT)}-{FRAMES}-home.movie"


def make(tick=lambda done: None, waiting=lambda *queue: None) -> bytes:
    """The movie's bytes, compressed; computed where they are not kept."""
    if (known := engine.CACHE.load(name())) is None:
        known = engine.job(
            name(), movies.opening, study(), study().steps[-1], COUNT, FRAMES, price=COUNT * 4096.0, tick=tick, waiting=waiting,
            session=session(),
        )  # fmt: skip
        engine.CACHE.keep(name(), known, engine.modules(study(), movies.opening))
    return known


def draw(presentation: bool) -> None:
    """Show it."""
    if (known := engine.CACHE.load(name())) is None:
        bar = progress("Moving the particles.")
        known = make(bar.tick, bar.waiting)
        bar.bar.empty()
    component("opening")(key="opening", data=_packet(known, presentation))


@cache
def _packet(known: bytes, presentation: bool) -> bytes:
    movie = dressed(zlib.decompress(known), particles.looks())
    how = decode(movie)["panels"][0]["label"].partition("(")[2].rstrip(")")
    said = f"{COUNT} of the particles are drawn. Only the steps are real; between them the particles glide."
    return packet(
        movie, presentation=presentation, axis=f"W₂ from the target ({how})", method=measure.method(how).caption,
        small=f"W₂ is that of the law itself ({how}). {said}",
    )  # fmt: skip
