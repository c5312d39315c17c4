"""What a page is, and the one function that shows it.

A page is a picture with what is asked for it, further pictures below, and folded sections. It declares them; `show` does the
rest: address, menu, controls, run and cancel, stale and wrong settings, tables, notes, exports, sections. Prose, titles and the
question stand in `dlab.words`, under the page's name and the name of each block.
"""

import itertools
from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from threading import Lock

import streamlit as st

from dlab import words
from dlab.params import BadInput
from dlab.ui import controls, exports, frame, menu, reveal, runs, state
from dlab.ui.runs import Ask
from dlab.ui.view import View, tabulate

__all__ = ["Ask", "Block", "Page", "View", "show"]
KEPT = 128  # views of finished results in memory, for all sessions together


@dataclass(frozen=True)
class Block:
    """A picture and what is asked for it.

    studies(scene) -> {name: Study}, run by a button where they cost; or answer(scene) -> Ask, or None where there is none.
                      A block that asks for neither gets what `of` got: another block of the page, or the page itself ("").
    view(found, scene) -> View, or None where there is nothing to show; found: {name: result}, or the answer
    controls   settings drawn above the picture; on a page, beside it: names of `controls.draw`, or (name, {how})
    fields(scene) -> what the block's words have fields for; a text with fields and without this is left to the block
    files(found, scene)  draws the download buttons, where they are other ones
    picks(scene) -> {name: value}: draws further widgets, which are no settings, above the picture, a page's own above its controls;
                      the scene then has them
    prepare(scene) -> {name: value} that must be there first and joins the scene; None: not yet, and nothing is drawn
    get(scene) -> found, in the place of studies and answer, where something else is asked for; None: not yet
    awaiting(scene) -> the chart that stands before the first points of its studies, or None; height: its px
    draw(found, scene)  in the place of a view, where a block is something else
    """

    name: str = ""
    view: Callable | None = None
    studies: Callable | None = None
    answer: Callable | None = None
    of: str = ""
    controls: tuple = ()
    fields: Callable | None = None
    files: Callable | None = None
    picks: Callable | None = None
    prepare: Callable | None = None
    get: Callable | None = None
    awaiting: Callable | None = None
    height: int = 430
    draw: Callable | None = None


@dataclass(frozen=True)
class Page(Block):
    """A page: a block whose controls stand beside it.

    below      blocks under it, each with its title
    sections   folded blocks, which compute and send nothing before they are opened
    after(found, scene)   what comes when the page is drawn and its address is written
    turn(scene) -> the page that this one is with these settings
    early      whether the other blocks need not wait for the main block's numbers
    """

    below: tuple[Block, ...] = ()
    sections: tuple[Block, ...] = ()
    after: Callable | None = None
    turn: Callable | None = None
    early: bool = False


@dataclass(frozen=True)
class Got:
    """What a block found, the key of these numbers where they are final, what it shows of them, what they are (see `runs.several`),
    and how it offers them; whether what must be there first is there."""

    found: object = None
    key: str | None = None
    view: View | None = None
    state: str = "final"
    files: Callable[[], None] | None = None
    ready: bool = False


def show(page: Page) -> None:
    """Show a page."""
    scene = frame.begin(page.name)
    page = page.turn(scene) if page.turn else page
    picture, side = reveal.stage(page.name)
    with side:
        if page.picks:
            page = replace(page, picks=_inside(st.container(key="picks"), page.picks))
        for each in page.controls:
            name, how = each if isinstance(each, tuple) else (each, {})
            controls.draw(name, scene, page.name, **how)
    got = Got()
    with picture:
        scene = state.scene()  # controls may have moved what no longer fits
        try:
            if not reveal.waits(page.name):
                got = _whole(page, scene, side)
        except BadInput as error:
            st.error(frame.plain(error))
    frame.end(page.name)
    if page.after and got.view:
        with picture:
            page.after(got.found, scene)


def _inside(place, picks: Callable) -> Callable:
    """Picks that are drawn in a place."""

    def pick(scene):
        with place:
            return picks(scene)

    return pick


def _whole(page, scene, side) -> Got:
    """Everything of a page but its frame; what its main block got."""
    got = _block(page, page, scene, Got(), side)
    if got.view is None and not (page.early and got.ready):
        return got
    others = {"": got}
    for block in page.below:
        if title := words.title(page.name, block.name):
            st.markdown(f"### {title}")
        others[block.name] = _block(page, block, scene, others[block.of])
    folded = []
    if reveal.hidden(page.name) or state.embedded():
        return got
    if (view := got.view) and got.state != "running":
        if view.table or view.prose or view.caption or view.more:
            folded.append((_folded("numbers", "All numbers" if view.table else "In words"), view.tell, ()))
        if view.notes:
            folded.append((_folded("notes", f":material/info: {len(view.notes)} note{'s' * (len(view.notes) > 1)}"), view.note, ()))
    folded += [
        (_folded(block.name, words.title(page.name, block.name)), _section, (page, block, others[block.of])) for block in page.sections
    ]
    for place, draw, given in folded:  # what is open may take long: all places are there first
        if place.open:
            with place:
                draw(*given)
    if got.files:
        menu.downloads(got.files, st.session_state[menu.DOWNLOADS])
    return got


def _folded(name, title):
    """The place of what is folded, closed at first."""
    return st.expander(title, key=f"{name}-open", on_change="rerun")


@st.fragment
def _section(page, block, given: Got) -> None:
    """A folded block that is open, drawn anew by itself when one of its own controls moves; a closed one is no fragment, which costs
    as much as what stands in it."""
    try:
        _block(page, block, state.scene(), given)
    except BadInput as error:
        st.error(frame.plain(error))
    frame.note_address(page.name)


def _block(page, block, scene, given: Got, side=None) -> Got:
    """Draw a block: its words and controls, what it asks for, and its view."""
    main = block is page
    if not main:
        text = words.texts(page.name)[block.name]
        if text.body and (block.fields or not text.fields):
            st.markdown(text.fill(**(block.fields(scene) if block.fields else {})))
        if block.controls:
            widths = (1,) * len(block.controls) + (max(1, 3 - len(block.controls)),)
            for place, name in zip(st.columns(widths), block.controls):
                with place:
                    controls.draw(name, scene, page.name)
    for first in (block.prepare, block.picks):
        if first:
            if (more := first(scene)) is None:
                return Got()
            scene = scene | more
    if block.draw:
        block.draw(given.found, scene)
        return Got(given.found)

    asked = {}

    def drawn(found, state, key):
        view = _drawn(page, block, scene, found, state, key, side)
        return Got(found, key, view, state, view and _files(block, scene, found, view, asked))

    if block.studies:
        asked = block.studies(scene)
        key = "-".join([*asked, *(study.key for study in asked.values())])
        slot = page.name if main else f"{page.name}-{block.name}"

        def axes() -> bool:  # made where nothing has been found alone
            if (empty := block.awaiting and block.awaiting(scene)) is not None:
                View(empty, heights=(block.height,)).draw(f"{slot}-awaiting-{next(_running)}", False)
            return empty is not None

        found, state, got = runs.several(slot, asked, lambda found, state: drawn(found, state, key if state == "final" else None), axes)
        got = got if state in ("final", "partial") else Got(found, ready=True)
    elif block.answer:
        if (ask := block.answer(scene)) is None:
            return Got()
        found = runs.kept(ask, block.name)
        got = Got(ready=True) if found is None else drawn(found, "final", f"{ask.study.key}-{ask.which}")
    elif block.get:
        found = block.get(scene)
        got = Got() if found is None else drawn(found, "final", None)
    else:
        got = drawn(given.found, "final", given.key)
    if got.view and not main:
        got.view.note()
        if got.files:
            menu.downloads(got.files, st.container(), f"{block.name}-download")
    return got


def _files(block, scene, found, view, asked):
    """What draws the download buttons of a view; None where it offers nothing."""
    if block.files:
        return lambda: block.files(found, scene)
    if view.label:
        rows = [{view.label: name, **row} for name, result in found.items() for row in result["rows"]]
        return lambda: exports.picture(view.figure, view.file, block.name, rows, {"results": found})
    if asked:
        alone = next(iter(asked.values())) if len(asked) == 1 else None
        results = view.results or found
        if alone is None or alone.vary:
            figures = {view.file: view.figure} if not isinstance(view.figure, tuple) else dict(zip(view.file.split(), view.figure))
            return lambda: exports.results(figures, results)
        return lambda: exports.results({exports.stem(found[""]): view.figure}, results, alone)
    return (lambda: exports.picture(view.figure, view.file, block.name or "page", view.data, view.answer)) if view.file else None


_views: OrderedDict = OrderedDict()
_guard = Lock()
_running = itertools.count()  # a run draws a picture several times in one script, and each needs a key


def _drawn(page, block, scene, found, status, key, side=None) -> View | None:
    """Draw the view of what was found, and return it."""
    view = _view(page, block, scene, found, key)
    if view is None:
        return None
    name = f"{page.name}-{block.name}-{status}" + (f"-{next(_running)}" if status == "running" else "")
    # Settings that are not run yet leave their picture behind, greyed.
    with st.container(key=f"stale-{block.name}") if status == "stale" else nullcontext():
        answered = block is page and status == "final" and isinstance(found, dict)
        first = answered and reveal.above(page.name)
        if first:
            reveal.answer(page.name, next(iter(found.values())), side)
        elif block is page and view.takeaway and status != "stale" and not (reveal.hidden(page.name) or state.embedded()):
            view.say()
        if view.top:
            view.top()
        view.draw(name, status == "final")
        if answered and not first:
            reveal.answer(page.name, next(iter(found.values())), side)
        if block is not page:
            for text, show in ((view.prose, st.markdown), (view.caption, st.caption)):
                if text and status != "stale":
                    show(text)
            if view.table and status != "running":
                tabulate(view.columns)
            if view.more and status != "running":
                view.more()
    return view


def _view(page, block, scene, found, key):
    """The view of a block, kept where its numbers are final."""
    if key is None:
        return block.view(found, scene)
    whole = page.name, block.name, key, repr(scene)
    with _guard:
        if whole in _views:
            _views.move_to_end(whole)
            return _views[whole]
    view = block.view(found, scene)
    with _guard:
        _views[whole] = view
        while len(_views) > KEPT:
            _views.popitem(last=False)
    return view
