"""The lesson as one HTML file: which scenes, from their names or from links, and what each is made of."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from dlab import engine, lesson, params, words
from dlab.answers import trajectory
from dlab.cache import dumps
from dlab.figures.movie import at_step
from dlab.lesson import curve, film, live
from dlab.params import BadInput
from dlab.study import refitted
from dlab.ui import links, movies, settings, studies
from dlab.ui.scene import Scene
from dlab.ui.scenes import BY_NAME, SCENES, slopes_of

PAGES = ("convergence", "particles")  # whose pictures a lesson holds
MOST = 40  # scenes of one file
COUNT = 600  # particles beside a curve
Asked = tuple[str, Scene]  # a page and the settings in force there


def asked(entries: Iterable[str] = (), say: Callable[[str], None] = lambda note: None) -> list[Asked]:
    """What the entries name: prepared scenes, all of them where there are no entries, or addresses of the lab, whole or from the page's
    name or the "?" on. BadInput names the entry; say is told what was ignored in a link."""
    entries = list(entries) or [scene.name for scene in SCENES]
    if len(entries) > MOST:
        raise BadInput(f"{len(entries)} scenes are asked for; a lesson holds at most {MOST}.")
    found = []
    for entry in entries:
        if entry in BY_NAME:
            values, notes = links.read(links.address(BY_NAME[entry]))
            page = BY_NAME[entry].page
        else:
            page, values, notes = _linked(entry)
        for note in notes:
            say(f"{params.show(entry)}: {note}")
        found.append((page, Scene(values)))
    return found


def _linked(entry):
    whole = entry if "?" in entry or "://" in entry else f"?{entry}"
    if "=" not in entry and "://" not in entry:
        raise BadInput(f"scene = {params.show(entry)} is neither a scene nor a link; choose one of {', '.join(BY_NAME)}, or an address.")
    try:
        parts = urlsplit(whole)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        raise BadInput(f"scene = {params.show(entry)} is not an address; copy it from the browser or from Share.") from None
    query = dict(pairs)
    page = parts.path.rstrip("/").rpartition("/")[2] or links.short(query) or PAGES["panels" in query]
    if page not in PAGES:
        raise BadInput(f"scene = {params.show(entry)} is on the page {params.show(page)}; a lesson holds those of {' and '.join(PAGES)}.")
    repeated = [key for key in query if sum(k == key for k, _ in pairs) > 1]
    return page, *links.read(query, repeated)


def made(scenes: Iterable[Asked], tick: Callable[[float], None] = lambda done: None, known_alone: bool = False) -> str:
    """The file of these scenes; what is not kept is computed, but for the particles beside curves where `known_alone`. tick(share done)
    may raise to cancel."""
    scenes, whole, names = list(scenes), [], set()
    for i, (page, values) in enumerate(scenes):
        one = scene(page, values, lambda done, i=i: tick((i + done) / len(scenes)), known_alone)
        while one["name"] in names:
            one["name"] += f"-{i + 1}"
        names.add(one["name"])
        whole.append(one)
    return lesson.document(whole)


def scene(page: str, values: Scene, tick: Callable[[float], None] = lambda done: None, known_alone: bool = False) -> dict:
    """One scene as plain values: its words, and what `lesson.curve` and `lesson.film` make of its result or its movie."""
    prepared = BY_NAME.get(values.scene)
    parts = _moving(values, tick) if page == "particles" else _curve(values, tick, known_alone)
    shown = parts.pop("shown")
    if prepared:
        question, text, name = prepared.question, prepared.text, prepared.name
    else:
        question, text, name = values.title or words.title(page), values.question or _plain(words.text(page)), page
    return {
        "name": name,
        "page": page,
        "question": question,
        "text": text,
        "guess": _guess(prepared, parts, shown),
        "answer": lesson.text.of_markdown(lesson.text.pretty(prepared.answer(shown))) if prepared else "",
        **parts,
    }


def _plain(text: str) -> str:
    return text.replace("$", "").replace("W_2", "W₂").replace("p_t", "pₜ")


def _guess(prepared, parts, shown) -> dict | None:
    """What is asked before a scene is shown: {"asks", "schemes" whose slopes are guessed, "options" with the "right" one}. Of a link it is
    the slopes of its first two schemes, where it has any."""
    if prepared:
        guess, asks = prepared.guess, prepared.guess and prepared.asks
        right = guess.right(shown) if guess and guess.right else ""
    else:
        sloped = tuple(s["scheme"] for s in (parts["curve"] or {"series": ()})["series"] if s["label"])
        guess, asks, right = slopes_of(*sloped[:2]) if sloped else None, words.text("lesson", "slopes"), ""
    return guess and {
        "asks": lesson.text.of_markdown(asks), "schemes": list(guess.schemes), "options": list(guess.options), "right": right,
    }  # fmt: skip


def _curve(values, tick, known_alone) -> dict:
    study = studies.curve(values)
    if (result := engine.result(study)) is None:
        *_, result = engine.stream(study, tick)
    if values.by_hand:
        result = refitted(result, values.window)
    brackets = values.brackets == "always" or (values.brackets == "few" and len(values.schemes) <= 2)
    told = curve.shown(result, values.x, bounds=values.bounds, brackets=brackets)
    sizes = list(map(float, study.h)) if study.even else None
    alive = _live(study, values, study.steps, sizes, study.steps[0])
    return {"shown": result, **told, "film": None if alive else kept_film(values, tick, known_alone), "live": alive}


def kept_film(values: Scene, tick: Callable[[float], None] = lambda done: None, known_alone: bool = False) -> dict | None:
    """The particles of a curve's first schemes at its coarsest step, as `lesson.film` packs them; made at most once, or None where they
    are not and `known_alone`."""
    study = film_study(values)
    name, steps = film_key(study), study.steps[-1]
    if (found := engine.CACHE.load(name)) is None:
        if known_alone:
            return None
        packed, _ = movies.make_movie(study, steps, COUNT, tick)
        # Without the distances: so few particles tell them less well than the curve does.
        found = dumps(film.packed(at_step(packed, study.grid(steps).step))).encode()
        engine.CACHE.keep(name, found, engine.modules(study, trajectory.motion, film.packed))
    return json.loads(found)


def films() -> Iterator[tuple[str, str, Callable[[], dict]]]:
    """(scene, the name that its film is kept under, what makes it) of the prepared scenes with a curve; beside one on a Gaussian the file
    moves particles by itself."""
    for page, values in asked():
        if page == "convergence" and not live.problem(study := film_study(values)):
            yield values.scene, film_key(study), partial(kept_film, values)


def film_study(values: Scene):
    """What is moved beside a curve."""
    coarse = studies.curve(values)
    step = {"step": coarse.T / coarse.steps[0]} if coarse.even else {"count": float(coarse.steps[0])}
    return studies.moving_study(values | {"panels": values.schemes[: settings.MAX_PANELS], **step})


def film_key(study) -> str:
    """The name under which it is kept."""
    return f"{movies.movie_key(study, study.steps[-1], COUNT)}-lesson.json"


def _moving(values, tick) -> dict:
    study = studies.moving_study(values)
    steps = study.steps[-1]
    packed, meta = movies.make_movie(study, steps, values.moving, tick)
    alive = None
    if live.problem(study):
        # The step sizes of the player's ladder, coarse to fine, with that of the scene.
        counts = sorted({steps, *(n for k in range(7) if (n := round(study.T * 2**k)) >= 1)}) if study.even else [steps]
        alive = _live(study, values, counts, [study.T / n for n in counts] if study.even else None, steps)
    moved = None if alive else film.packed(at_step(packed, study.grid(steps).step), meta["table"])
    return {"shown": meta, **curve.moving(study, meta), "curve": None, "film": moved, "live": alive}


def _live(study, values, counts, sizes, at) -> dict | None:
    problem = live.problem(study)
    return problem and {
        "problem": problem, "schemes": list(study.schemes), "steps": list(counts), "h": sizes, "at": at, "error": dict(study.score_error),
        "fixed": [*values.hide, *values.fix],
    }  # fmt: skip


def write(entries: Iterable[str], out: str, say: Callable[[str], None], tick: Callable[[float], None] = lambda done: None) -> int:
    """Make the lesson of `entries` and write it to the path `out`; its size in bytes. BadInput where an entry or the path is wrong."""
    path = Path(out)
    if path.is_dir() or not path.parent.is_dir():
        raise BadInput(f"--out = {params.show(out, 200)} cannot be written; give the path of a file in a folder that exists.")
    content = made(asked(entries, say), tick).encode()
    try:
        path.write_bytes(content)
    except OSError as error:
        raise BadInput(f"--out = {params.show(out, 200)} cannot be written ({error.strerror}); give another path.") from None
    return len(content)


def button(page: str, values: Mapping) -> None:
    """Downloads for the Share popover: this scene where all of it is known already, and the nine prepared ones. Each is made when it is
    pressed."""
    values = Scene(values)
    if page in PAGES and known(page, values):
        st.download_button(
            "This scene as an HTML file", lambda: made([(page, values)], known_alone=True), file_name="scene.html", mime="text/html",
            on_click="ignore", key="lesson-file", type="tertiary",
            help="Question, picture, table and notes in one file that needs no server: for a slide, an LMS, a USB stick.",
        )  # fmt: skip
    st.download_button(
        "The nine scenes as an HTML file", nine, file_name="lesson.html", mime="text/html", on_click="ignore", key="lesson-files",
        type="tertiary", help="A lesson that needs no server, with guesses and answers; on Gaussian targets its settings move.",
    )  # fmt: skip


def known(page: str, values: Scene) -> bool:
    """Whether the numbers of a scene are kept, or cost next to nothing."""
    if page == "particles":
        study = studies.moving_study(values)
        return movies.known_movie(study, study.steps[-1], values.moving) is not None
    return engine.result(studies.curve(values)) is not None


@cache
def nine() -> str:
    """The file of the prepared scenes."""
    return made(asked())
