"""Movies of particles: made at most once, kept, and run from a page."""

import json
import zlib

import streamlit as st

from dlab import engine, export
from dlab.answers import trajectory
from dlab.export import movies
from dlab.figures.movie import at_step
from dlab.study import Study
from dlab.ui.runs import PATIENCE, ROW, progress, session


def movie_key(study: Study, steps: int, count: int) -> str:
    """Fingerprint of a movie: of the study only what moves particles enters."""
    return _movie_key(study, (steps,), count)


def _movie_key(study, counts, count):
    plain = {k: v for k, v in study.to_json().items() if k not in ("h", "steps")} | {"estimator": "auto", "particles": 4096}
    plain |= {"h": [study.T / n for n in counts]} if study.even else {"steps": list(counts)}
    plain |= {"accuracy": None, "budget": None}
    return f"{Study.from_json(plain).key}-{count}"


def known_movie(study: Study, steps: int, count: int):
    """(player bytes, {"sentence", "table", "notes", "met", "rungs"}) where the movie is kept, else None.

    With its ladder where that is kept too; rungs is the number of step sizes in it.
    """
    for counts in (trajectory.rungs(study, steps, count), (steps,)):
        if (found := engine.CACHE.load(_movie_key(study, counts, count) + ".movie")) is not None:
            head, packed = zlib.decompress(found).split(b"\n", 1)
            meta = json.loads(head)
            return at_step(packed, study.grid(steps).step), {**meta[str(steps)], "rungs": len(meta)}
    return None


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
    engine.CACHE.keep(name, found, engine.modules(study, trajectory.motion, movies.made, at_step))
    return known_movie(study, steps, count)


def positions(study: Study, steps: int, count: int) -> bytes:
    """The particles of a scene as npz bytes, see `export.movies.positions`."""
    return engine.job(_movie_key(study, (steps,), count) + ".npz", movies.positions, study, steps, count, session=session())


def film(study: Study, steps: int, count: int, fmt: str, title: str) -> bytes:
    """The movie of a scene as mp4, gif or html; a drawn film is kept, and one is drawn at a time."""
    name = f"{movie_key(study, steps, count)}.{fmt}"
    packed, meta = known_movie(study, steps, count) or make_movie(study, steps, count)
    if fmt == "html":
        return export.film_bytes(packed, fmt, title=title, caption=meta["sentence"])
    if (known := engine.CACHE.load(name)) is None:
        known = engine.job(name, movies.filmed, study, packed, fmt, session=session())
        engine.CACHE.keep(name, known, engine.modules(study, trajectory.motion, export.film_bytes))
    return known


def movie(study: Study, steps: int, count: int):
    """The movie of a scene, with a progress bar while it is computed; a rerun cancels it. None where it would
    take long and its button has not been pressed."""
    if (known := known_movie(study, steps, count)) is not None:
        return known
    # The particles, and the exact laws that the distances come from.
    cost = engine.seconds(count * trajectory.work(study, steps) + study.price - study.work)
    if cost > PATIENCE and st.session_state.pop("run", None) != study.key:
        left, right, _ = st.columns(ROW, vertical_alignment="center")
        run = {"run": study.key}
        left.button(
            f"Run (about {cost:.0f} s)", type="primary", width="stretch", on_click=st.session_state.update, args=(run,),
            help="Moves the particles and measures their distances; the movie is kept and opens at once afterwards.",
        )  # fmt: skip
        right.caption(f"{steps} steps of {count} particles and a reference path for each.")
        return None
    bar = progress("Moving the particles.")
    made = make_movie(study, steps, count, bar.tick, bar.waiting)
    bar.bar.empty()
    return made


def ladder(study: Study, steps: int, count: int) -> None:
    """Compute the movie at the other step sizes while the visitor watches, and run the page again with it; a rerun
    cancels it. To be called when the page is drawn."""
    holder = st.empty()
    make_ladder(study, steps, count, lambda done: holder.empty(), lambda *queue: holder.empty())
    st.rerun()
