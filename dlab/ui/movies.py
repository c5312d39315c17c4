"""Movies of particles: made at most once, kept, and run from a page."""

import json
import zlib
from functools import lru_cache

import streamlit as st

from dlab import engine, export
from dlab.answers import trajectory
from dlab.export import movies
from dlab.figures import particles
from dlab.figures.movie import at_step, dressed
from dlab.figures.numbers import duration
from dlab.study import Study
from dlab.ui.runs import PATIENCE, ROW, give_way, progress, session

BEGUN = ".begun"  # ends the name of a movie without distances


def movie_key(study: Study, steps: int, count: int) -> str:
    """Fingerprint of a movie: of the study only what moves particles enters."""
    return _movie_key(study, (steps,), count)


def _movie_key(study, counts, count):
    plain = {k: v for k, v in study.to_json().items() if k not in ("h", "steps")} | {"estimator": "auto", "particles": 4096}
    plain |= {"h": [study.T / n for n in counts]} if study.even else {"steps": list(counts)}
    plain |= {"accuracy": None, "budget": None}
    return f"{Study.from_json(plain).key}-{count}"


def known_movie(study: Study, steps: int, count: int):
    """(player bytes, {"sentence", "table", "notes", "met", "lower", "rungs", "scene"}) where the movie is kept, else None.

    With its ladder where that is kept too, and then the same bytes at each of its step sizes; rungs is the number of step sizes in
    it, scene what all its step sizes share.
    """
    scene = _movie_key(study, trajectory.rungs(study, steps, count), count)
    for name in (scene, _movie_key(study, (steps,), count)):
        if (found := engine.CACHE.load(name + ".movie")) is not None:
            return _opened(found, steps, scene)
    return None


def _opened(found, steps, scene):
    packed, meta = _unpacked(found)
    return packed, {**meta[str(steps)], "rungs": len(meta), "scene": scene}


@lru_cache(maxsize=4)  # megabytes each, and every move of a control asks for one of the last again
def _unpacked(found):
    head, packed = zlib.decompress(found).split(b"\n", 1)
    return dressed(packed, particles.looks()), json.loads(head)


def known_beginning(study: Study, steps: int, count: int):
    """As `known_movie`, of the particles that move without their distances; in memory alone."""
    scene = _movie_key(study, trajectory.rungs(study, steps, count), count)
    found = engine.CACHE.load(_movie_key(study, (steps,), count) + BEGUN)
    return found and _opened(found, steps, scene)


def make_movie(study: Study, steps: int, count: int, tick=lambda done: None, waiting=lambda *queue: None):
    """Simulate, encode and keep the movie of the study's schemes; returns as `known_movie`."""
    return known_movie(study, steps, count) or _made(study, steps, count, False, tick, waiting)


def make_ladder(study: Study, steps: int, count: int, tick=lambda done: None, waiting=lambda *queue: None):
    """As `make_movie`, at all step sizes that the player's slider offers."""
    known = known_movie(study, steps, count)
    if known is not None and known[1]["rungs"] == len(trajectory.rungs(study, steps, count)):
        return known
    return _made(study, steps, count, True, tick, waiting)


def _made(study, steps, count, whole, tick, waiting):
    rungs = trajectory.rungs(study, steps, count)
    name = _movie_key(study, rungs if whole else (steps,), count) + ".movie"
    price = count * sum(trajectory.work(study, n) for n in (rungs if whole else (steps,)))
    found = engine.job(
        name, movies.made, study, steps, count, whole, _movie_key(study, rungs, count), price=price, tick=tick, waiting=waiting,
        session=session(),
    )  # fmt: skip
    engine.CACHE.keep(name, found, engine.modules(study, trajectory.motion, movies.made, dressed))
    return known_movie(study, steps, count)


def positions(study: Study, steps: int, count: int) -> bytes:
    """The particles of a scene as npz bytes, see `export.movies.positions`."""
    return engine.job(_movie_key(study, (steps,), count) + ".npz", movies.positions, study, steps, count, session=session())


def film(study: Study, steps: int, count: int, fmt: str, title: str) -> bytes:
    """The movie of a scene as mp4, gif or html; a drawn film is kept, and one is drawn at a time."""
    name = f"{movie_key(study, steps, count)}.{fmt}"
    packed, meta = known_movie(study, steps, count) or make_movie(study, steps, count)
    packed = at_step(packed, study.grid(steps).step)
    if fmt == "html":
        return export.film_bytes(packed, fmt, title=title, caption=meta["sentence"])
    if (known := engine.CACHE.load(name)) is None:
        known = engine.job(name, movies.filmed, study, packed, fmt, session=session())
        engine.CACHE.keep(name, known, engine.modules(study, trajectory.motion, export.film_bytes))
    return known


def movie(study: Study, steps: int, count: int):
    """The movie of a scene; where it is not kept, one without distances, which comes first, with a bar while it is computed. None
    where that would take long and its button has not been pressed."""
    if (known := known_movie(study, steps, count) or known_beginning(study, steps, count)) is not None:
        return known
    price = count * steps * len(study.schemes)
    cost = engine.seconds(price)
    if cost > PATIENCE and st.session_state.pop("run", None) != study.key:
        left, right, _ = st.columns(ROW, vertical_alignment="center")
        run = {"run": study.key}
        left.button(
            f"Run (about {duration(cost)})", type="primary", width="stretch", on_click=st.session_state.update, args=(run,),
            help="Moves the particles and measures their distances. The movie is kept, so that next time it opens at once.",
        )  # fmt: skip
        right.caption(f"{steps} steps of {count} particles, each with a reference path.")
        return None
    bar, name = progress("Moving the particles."), _movie_key(study, (steps,), count) + BEGUN
    scene = _movie_key(study, trajectory.rungs(study, steps, count), count)
    found = engine.job(
        name, movies.begun, study, steps, count, scene, price=price, tick=bar.tick, waiting=bar.waiting, session=session(),
    )  # fmt: skip
    engine.CACHE.keep(name, found, engine.modules(study, trajectory.motion, movies.begun, dressed), disk=False)
    bar.bar.empty()
    return known_beginning(study, steps, count)


def rest(study: Study, steps: int, count: int, whole: bool) -> None:
    """Compute what the page's movie lacks while the visitor watches, its distances and then, where `whole`, the other step sizes, and
    run the page again with it; a rerun cancels it. To be called when the page is drawn."""
    make = make_ladder if whole and known_movie(study, steps, count) else make_movie
    make(study, steps, count, lambda done: give_way(), lambda *queue: give_way())
    st.rerun()
