"""Running things from a page: curves, answers and the training of networks, each at most once."""

import time
from contextlib import closing
from dataclasses import dataclass, replace

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType

from dlab import answers, engine
from dlab.answers import learned_score
from dlab.figures.numbers import duration
from dlab.study import Study

SLOTS = 8  # pictures whose last result a session keeps
# The button that runs, what is said or the bar, and the one that cancels, where no second click on the first hits it.
ROW = (4, 12, 3)
REDRAW = 0.4  # seconds between two drawings of an unfinished curve
MOVES = 0.25  # and between two places of a bar: a browser draws the page anew at each message, and a slow one nothing else
NEXT = "run-next"  # the session key of the key of a study that follows its training without another button
LOSSES = 1.5  # and of losses, which change little: a browser takes a moment to draw, and shows nothing meanwhile


class Bar:
    """A progress bar and what moves it. Both ways end the run where a click waits."""

    def __init__(self, begins: str, text=lambda done: f"{done:.0%} done.", place=st):
        self.bar, self.begins, self.text, self.moved = place.progress(0.0, text=begins), begins, text, 0.0

    def tick(self, done: float = 0.5) -> None:
        self._move(min(done, 1.0), self.text(done) if done >= 0.005 else self.begins)

    def waiting(self, before: int, seconds: float) -> None:
        """This run stands in a queue, so many before it."""
        self._move(0.0, waits(before, seconds))

    def _move(self, done, text) -> None:
        give_way()
        if time.monotonic() - self.moved >= MOVES:
            self.bar.progress(done, text=text)
            self.moved = time.monotonic()


def waits(before: int, seconds: float) -> str:
    """What is said to whoever waits for a run."""
    who = "This run is next" if before == 0 else f"{before} {'run is' if before == 1 else 'runs are'} before this one"
    return f"{who}; it starts in about {max(seconds, 1):.0f} s."


def session() -> str:
    """Who asks: the visitor's session."""
    context = get_script_run_ctx(suppress_warning=True)  # the shell makes lessons without one
    return context.session_id if context else engine.ALONE


def give_way() -> None:
    """End the script, or draw a folded section anew, where a click waits: a section is a fragment, and a click in one interrupts no
    run, as others do. Nothing is sent to the browser."""
    context = get_script_run_ctx()
    if context and runtime.exists() and not runtime.get_instance().is_active_session(context.session_id):
        st.stop()  # the visitor has gone; the run goes on for a while
    st.session_state.get("run")  # where Streamlit ends a script that is to begin anew
    requests = getattr(context, "script_requests", None)
    # A fragment that asks again by its clock, as a picture that is not there yet does, can wait.
    asked = requests._rerun_data if requests is not None and requests._state is ScriptRequestType.RERUN else None
    if asked and asked.fragment_id_queue and not asked.is_auto_rerun:
        st.rerun(scope="fragment" if context.fragment_ids_this_run else "app")


def progress(doing: str, place=st) -> Bar:
    """A bar that says what is being done."""
    return Bar(f"{doing} The first run of a kind takes longer, since it is compiled.", lambda done: doing, place)


PATIENCE = 6.0  # seconds up to which a movie is made unasked
LAWS = 30.0  # and exact laws, whose first points come at once


def several(slot: str, studies: dict[str, Study], draw, awaiting=None) -> tuple[dict[str, dict] | None, str, object]:
    """The results that a picture shows, {name: result} of {name: study}, what they are, and what draw returned for them.

    They are "final", "partial" (a run was cancelled), "stale" (of other settings) or "none". draw(found, state) shows what
    is found so far, "running" while the run goes on. Exact laws (up to LAWS seconds of them) and known results show at once;
    a costly run waits for its button. slot names the picture: one that is stale stays until the next run. awaiting() draws the axes
    that stand before the first points, and says whether it could.
    """
    session, key = st.session_state, "-".join(s.key for s in studies.values())
    kept = session.setdefault("results", {})
    known = {name: engine.result(s) for name, s in studies.items()}
    if slot in kept and not all(known.values()):  # what the picture before has of the same schemes is in hand
        for name, result in kept[slot][1].items():
            if known.get(name, result) is None:
                engine.take_apart(result, studies[name])
                known[name] = engine.result(studies[name])
    missing = [engine.rest(studies[name]) for name, found in known.items() if found is None]
    if not missing:
        _keep(slot, key, known)
        return known, "final", draw(known, "final")
    cost = engine.seconds(sum(s.price for s in missing), _kind(missing[0]))
    at_once = not any(s.work for s in missing) and cost <= LAWS and session.get("cancelled") != key
    # Another session has asked for the same, or this one before its page was loaded anew.
    under_way = session.get("cancelled") != key and any(engine.under_way(s) for s in missing)
    if session.pop("run", None) == key or at_once or under_way or session.get(NEXT) in (s.key for s in studies.values()):
        session.pop(NEXT, None)
        return _follow(slot, studies, key, draw, awaiting)
    last, state = None, "none"
    if slot in kept:
        its, last = kept[slot]
        state = "partial" if its == key else "stale"
    what = _what(missing)
    left, right, _ = st.columns(ROW, vertical_alignment="center")
    left.button(
        _label(missing, cost, state == "partial"), key=f"run-button-{slot}", type="primary", width="stretch", help=what,
        on_click=lambda: session.update(run=key),
    )  # fmt: skip
    right.caption(SAYS[state])
    if last is None:
        if not (awaiting and awaiting()):
            with st.container(height=430, border=True, vertical_alignment="center", horizontal_alignment="center"):
                st.caption(what)
        return None, state, None
    return last, state, draw(last, state)


def _keep(slot, key, found) -> None:
    """Remember what a picture shows, and forget what a session has not looked at for longest."""
    kept = st.session_state.setdefault("results", {})
    kept.pop(slot, None)
    kept[slot] = key, found
    while len(kept) > SLOTS:
        kept.pop(next(iter(kept)))


def _cancel(key) -> None:
    st.session_state["cancelled"] = key
    engine.cancel(session())


def _kind(study) -> str:
    return study.target["name"] if isinstance(study.target, dict) else ""


def _label(missing, cost, again=False) -> str:
    more, run = sum(s.most - s.work for s in missing), "Go on" if again else "Run"
    if more:
        return f"{run} (up to {duration(cost + engine.seconds(more, _kind(missing[0])))})"
    return f"{run} (about {duration(cost)})" if cost >= 2 else f"{run} (a second or two)"


def _what(missing) -> str:
    """What a run does, for those who think about its button."""
    said, study = [], missing[0]
    if any(not part.error.ready for s in missing for _, part in s.parts):
        said.append("Trains the networks that have not been trained yet.")
    if work := sum(s.work for s in missing):
        sampled = dict.fromkeys(name for s in missing for name in s.sampled_schemes)
        said.append(
            f"Simulates {study.particles} Brownian paths of {', '.join(sampled)} and a reference at {len(study.steps)} step "
            f"{'size' if len(study.steps) == 1 else 'sizes'}, {work / 1e6:.3g} million particle-steps."
        )
    if any(replace(s, reach=None).price > s.work for s in missing):  # a search has a cost of its own
        said.append("Computes exact laws on a grid.")
    if study.reach:
        said.append(f"Searches for the fewest steps that reach {len(study.reach)} {'accuracy' if len(study.reach) == 1 else 'accuracies'}.")
    return " ".join([*said, "The first run of a scheme takes a few seconds longer."])


SAYS = {
    "none": "Nothing has been measured yet; points appear as they are computed.",
    "partial": "The picture shows the points found before the run was cancelled.",
    "stale": "The picture below belongs to other settings; run to update it.",
}


def _follow(slot, studies, key, draw, awaiting=None):
    left, middle, right = st.columns(ROW, vertical_alignment="center")
    left.button("Running", key=f"run-button-{slot}", type="primary", width="stretch", disabled=True)
    right.button(
        "Cancel", key=f"cancel-button-{slot}", width="stretch", help="Stops the run and keeps the points drawn so far.",
        on_click=lambda: _cancel(key),
    )  # fmt: skip
    bar = Bar("Starting. The first run of a scheme takes a few seconds longer.", place=middle)
    holder, drawn, found, paid = st.empty(), 0.0, {}, 0.0
    if awaiting:
        with holder.container():
            awaiting()
    total = sum(max(s.price, 1) for s in studies.values())

    for name, study in studies.items():
        share = max(study.price, 1) / total

        def tick(done, paid=paid, share=share):
            bar.tick(paid + share * done)

        # Cancelled, this run must let go of the machine at once.
        with closing(engine.stream(study, tick, bar.waiting, session())) as results:
            for data in results:
                found = {**found, name: data}
                _keep(slot, key, found)
                if time.monotonic() - drawn >= REDRAW:
                    with holder.container():
                        draw(found, "running")
                    drawn = time.monotonic()
        paid += share
    # The next run of the script finds the results finished, without bar and button.
    st.rerun()


def training(study: Study, draw) -> bool:
    """Whether the network of a study with a learned score is trained; else a button that says the cost. draw(losses) shows the
    losses, [[update, on the samples, on fresh ones], ...], while it is trained.

    A rerun cancels it; what is done by then is kept, and another button goes on from it.
    """
    task, session = learned_score.training(study), st.session_state
    found = task.kept()
    if found and found.done:
        return True
    pressed = session.pop("train", None)
    if pressed in ((task.name, False), (task.name, True)):
        _train(task, study, pressed[1], draw)
    left, right, _ = st.columns(ROW, vertical_alignment="center")
    said = f"about {max(1, engine.seconds(task.price)):.0f} s"

    def button(place, label, again, help, **look):
        place.button(label, on_click=lambda: session.update(train=(task.name, again)), help=help, width="stretch", **look)

    if found is None:
        button(left, f"Train ({said})", False, "Trains the network, which is kept.", type="primary", key="train")
        right.caption("No network has been trained for these settings yet.")
        return False
    button(left, f"Resume ({said})", False, "Continues exactly where the training was stopped.", type="primary", key="train")
    button(right.columns((1, 3))[0], "Start again", True, "Discards the checkpoint.", key="train-again")
    right.caption(f"Training was stopped after {found.step:,} of {found.updates:,} updates; a checkpoint is kept.")
    draw(found.losses.tolist())
    return False


def _train(task, study, again, draw) -> None:
    left, middle, right = st.columns(ROW, vertical_alignment="center")
    left.button("Training", key="train", type="primary", width="stretch", disabled=True)
    right.button(
        "Cancel", key="train-cancel", width="stretch", help="Stops the training and keeps a checkpoint.",
        on_click=lambda: engine.cancel(session()),
    )  # fmt: skip
    bar, holder, drawn = Bar("Starting. The first training takes a few seconds longer.", place=middle), st.empty(), 0.0
    with closing(engine.train(task, study, again, bar.tick, bar.waiting, session())) as found:
        for losses in found:
            bar.bar.progress(losses[-1][0] / task.spec["updates"], text=f"{losses[-1][0]:,.0f} of {task.spec['updates']:,} updates done.")
            if time.monotonic() - drawn >= LOSSES:
                with holder.container():
                    draw(losses)
                drawn = time.monotonic()
    # The next run of the script finds the network, without bar and button, and goes on to what it was trained for.
    st.session_state[NEXT] = study.key
    st.rerun()


def measured(study: Study) -> dict | None:
    """The result of a study beside a picture that stands without it: at once where it is known or comes from an exact law,
    else by a button that says its cost; None until then."""
    if (known := engine.result(study)) is not None:
        return known
    cost = engine.seconds(study.price, _kind(study))
    if study.work or cost > LAWS:
        label = f"Measure {', '.join(study.schemes)} (about {duration(max(cost, 1))})"
        if not st.button(label, key="measure-button", help="Adds the measured points to the picture and keeps them."):
            return None
    bar = progress("Measuring.")
    with closing(engine.stream(study, bar.tick, bar.waiting, session())) as results:
        for _ in results:
            pass
    # The next run of the script finds the result finished, without bar and button.
    st.rerun()


@dataclass(frozen=True)
class Ask:
    """An answer of `answers.REGISTRY` that a picture asks for: its name, the study and which of it, and what is being done."""

    kind: str
    study: Study
    which: tuple = ()
    doing: str = "Computing."

    @property
    def seconds(self) -> float:
        """What it costs here."""
        cost = answers.find(self.kind).cost
        return engine.seconds(cost(self.study, *self.which)) if cost else 0.0


def kept(ask: Ask, place: str = "") -> dict | None:
    """The answer: at once where it is known or costs less than PATIENCE seconds, else by a button; None until then. place: the block
    that asks, where several of a page may ask for the same."""
    if (found := engine.kept_answer(ask.kind, ask.study, *ask.which)) is not None:
        return found
    if (cost := ask.seconds) > PATIENCE and st.session_state.get(NEXT) != ask.study.key:
        left, middle, right = st.columns(ROW, vertical_alignment="center")
        if not left.button(
            f"Compute (about {duration(cost)})", key=f"{place or ask.kind}-button", width="stretch",
            help="The answer is kept, so that next time it opens at once.",
        ):
            return None
        right.button(
            "Cancel", key=f"{place or ask.kind}-cancel", width="stretch", help="Stops the run.", on_click=lambda: engine.cancel(session())
        )
        bar = progress(ask.doing, middle)
    else:
        bar = progress(ask.doing)
    engine.answer(ask.kind, ask.study, *ask.which, tick=bar.tick, waiting=bar.waiting, session=session())
    st.rerun()


def timing(study: Study) -> dict[str, float]:
    """Seconds of a particle-step of each scheme on this machine, measured now where nobody has asked before."""
    if (known := engine.seconds_a_step(study)) is not None:
        return known
    bar = progress("Timing a step of each scheme on this machine.")
    seconds = engine.time_steps(study, bar.tick, bar.waiting, session())
    bar.bar.empty()
    return seconds
