"""A scene as the address bar has it: read, written, and named alone. No streamlit here: plain values."""

import json
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path

from dlab import params
from dlab.params import BadInput
from dlab.ui import scenes, settings, studies, tour

VERSION = 2
LONGEST = 6000  # characters of data that a link carries
READ = ("1", str(VERSION))
# What a link of this version leaves out, {setting: text}: the defaults of the day on which the version began. They stay as they are
# when a default changes, so that links which left it out stay true; a new setting is left out at its own default.
LEFT_OUT = json.loads(Path(__file__).with_name("links.json").read_text("utf-8"))
# Settings of a link that are set back together where they are no study, the least first.
_TOGETHER = (
    ("grid", "stop", "counts", "count"), ("h", "hs", "T", "step"), ("estimator", "error"), ("particles", "accuracy", "budget"), ("kept",),
    ("spec", "csv", "scaled"),
)  # fmt: skip


def read(query: Mapping[str, str], repeated: Iterable[str] = ()) -> tuple[dict, list[str]]:
    """Scene and notes from the address bar. Whatever is not understood is named in a note, with what
    was used instead; nothing in a link can raise."""
    values, notes = _parsed(query, repeated)
    values = _fitted(values, notes)
    if (scene := scenes.BY_NAME.get(values["scene"])) and differs(values, scene):
        notes.append(f"The link names the scene “{scene.question}” but has other settings; the scene was ignored.")
        values["scene"] = ""
    return values, notes


def _parsed(query, repeated=()) -> tuple[dict, list[str]]:
    """Each setting by itself, whether or not all of them are a study."""
    table, values = settings.table(), settings.defaults()
    if query.get("v") == str(VERSION):
        for name, text in LEFT_OUT.items():
            if name in table and _texts(settings.defaults, tuple(values))[name] != text:
                values |= table[name].taken(text)
    query = _named(query) | query
    notes = [f"The link gives {params.show(key)} more than once; the last value was used." for key in repeated]
    if "target" in query and "spec" in query:
        notes.append("The link gives both target and spec; spec was used.")
    version = query.pop("v", str(VERSION))
    if version not in READ:
        notes.append(f"The link says version {params.show(version)}; this lab reads version {VERSION} and used what it understood.")
    for key in ("target", "error", "model", "grid", "stop", "schemes", "panels"):  # the keys of others follow from them
        if key in query:
            _take(values, notes, table[key], key, query.pop(key))
    known = _by_key(values)
    for key, text in query.items():
        if key in known:
            _take(values, notes, known[key], key, text)
        else:
            notes.append(f"The link's {params.show(key)} = {params.show(text)} is unknown here and was ignored.")
    return values, notes


def _by_key(values) -> dict:
    """The settings that an address of this target and these errors may carry, by their keys; knobs before others."""
    keys = {setting.address_key(values): setting for setting in settings.table().values()}
    return {key: setting for key, setting in keys.items() if key}


def _take(values, notes, setting, key, text) -> None:
    try:
        values |= setting.taken(text)
    except BadInput as error:
        used = "the default" if values[setting.name] is None else setting.text(values)
        notes.append(f"The link's {key} was ignored: {error} Used instead: {used or 'none'}.")


def _fitted(values, notes) -> dict:
    """The values, with the first group of settings at its defaults that makes them a study."""
    reason, plain = None, settings.defaults()
    everything = {*plain} - {*settings.LESSON, "present", "tour"}
    for names in ((), *_TOGETHER, everything):
        trial = values | {name: plain[name] for name in names}
        try:
            studies.study(trial), studies.curve(trial), studies.moving_study(trial)
        except BadInput as error:
            reason = reason or error
            continue
        if names:
            named = "all settings" if names is everything else ", ".join(names)
            notes.append(f"The link's settings do not fit together: {reason} Used instead: the defaults of {named}.")
        return trial
    raise AssertionError("the defaults are a study")


@lru_cache(maxsize=8)
def _texts(defaults, names) -> dict[str, str]:
    """The text of every setting's default."""
    values, table = defaults(), settings.table()
    return {name: table[name].text(values) if values[name] is not None else "" for name in names}


def write(values: Mapping, page: str = "") -> dict[str, str]:
    """The address of a scene on a page: the settings that the page reads and that are not left out, with the version. Without a page, of
    all pages that are not alone in having a setting."""
    query, plain, table = {"v": str(VERSION)}, _texts(settings.defaults, tuple(values)), settings.table()
    # What a page does not read is not in its link: whoever opens it has the default there, on which other keys depend.
    told = {name for name in values if (table[name].reads(page) if page else not table[name].page)}
    if page and (scene := scenes.BY_NAME.get(values.get("scene"))) and scene.page != page:
        told.discard("scene")  # whose settings are not all there
    values = {**values, **{name: value for name, value in settings.defaults().items() if name not in told}}
    for key, setting in _by_key(values).items():
        if setting.name in told and setting.written(values, values[setting.name]):
            text = setting.text(values)
            if text != LEFT_OUT.get(setting.name, plain[setting.name]):
                query[key] = text
    return {key: text for key, text in query.items() if 0 < len(text) <= LONGEST}


def of_page(values: Mapping, page: str) -> dict[str, str]:
    """The part of an address that is a page's own."""
    table = settings.table()
    plain = _texts(settings.defaults, tuple(values))
    texts = {name: table[name].text(values) for name in settings.names_of(page)}
    return {name: text for name, text in texts.items() if text != LEFT_OUT.get(name, plain[name])}


def complete(values: Mapping) -> bool:
    """Whether the address carries the whole scene; data that are too long travel in the study file."""
    table = settings.table()
    data = (table[name] for name in ("spec", "csv", "variances", "kept"))
    return all(0 < len(s.text(values)) <= LONGEST for s in data if s.address_key(values) and s.written(values, values[s.name]))


def in_lesson(values: Mapping) -> bool:
    """Whether a lecturer's words or restrictions are in force."""
    return any(values[name] for name in settings.LESSON)


# ---------------------------------------------------------------- prepared scenes and the tour, named alone


def short(query: Mapping[str, str]) -> str | None:
    """The page of a scene or a step of the tour that a link names without settings; None for any other link."""
    entry = _entry(query)
    return entry.page if entry and set(query) <= _view() else None


def _entry(query) -> scenes.PreparedScene | tour.Step | None:
    """The scene or the step that a link names."""
    steps = {str(i): step for i, step in enumerate(tour.STEPS, 1)}
    return scenes.BY_NAME.get(query.get("scene")) or steps.get(query.get("tour"))


def _named(query) -> dict[str, str]:
    """The settings of the scene or step that a link names alone."""
    return _entry(query).settings if short(query) else {}


def _view(page: str = "") -> set[str]:
    """Settings that change none of the numbers on a page."""
    return {name for name, setting in settings.table().items() if setting.view or (page and not setting.reads(page))}


def differs(values: Mapping, entry: scenes.PreparedScene | tour.Step) -> bool:
    """Whether settings that the numbers of a scene or a step of the tour depend on are not its own."""
    mine, its = write(values, entry.page), _written(entry.page, tuple(entry.settings.items()))
    # The player moves particles in other steps at a touch: the scene, whose answer is of what is shown, goes on.
    free = _view(entry.page) | ({"step"} if entry.page == settings.MOVIE else set())
    return any(mine.get(key) != its.get(key) for key in {*mine, *its} - free)


def address(entry: scenes.PreparedScene | tour.Step) -> dict[str, str]:
    """The address of a prepared scene or of a step of the tour."""
    named = {"scene": entry.name} if isinstance(entry, scenes.PreparedScene) else {"tour": str(tour.STEPS.index(entry) + 1)}
    # An address bar forgets that a scene plays, once it does; its link says so.
    play = {key: value for key, value in entry.settings.items() if key == "play"}
    return _written(entry.page, tuple(entry.settings.items())) | named | play


@cache  # every page asks for that of every scene; a test reads them, so that none need be built here to see that they are studies
def _written(page, given) -> dict[str, str]:
    return write(_parsed(dict(given))[0], page)
