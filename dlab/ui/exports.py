"""What the Download menus offer: picture, numbers, reproduce, cite. Every file is made when it is asked for, not before."""

from contextlib import contextmanager

import streamlit as st

from dlab import engine, export
from dlab.cache import dumps
from dlab.export.files import PX_PER_INCH
from dlab.figures.chart import largest_font
from dlab.figures.numbers import step_size
from dlab.ui import frame, movies
from dlab.ui.runs import session

FIGURES = ("svg", "pdf", "png", "html")
# What the visitor chose for figures; in the session, not in the link.
OPTIONS = {"unit": "mm", "mm": 160, "px": 800, "font": 9.0, "grey": "Colour", "legend": True}
KEY, CHOSEN = "figure-option-", "figure-options"
WIDTHS = {"mm": (40, 400), "px": (200, 4000)}
PALETTES = ("Colour", "Grey")


@contextmanager
def _group(title: str, key: str):
    """A row of buttons under a title."""
    st.markdown(f"**{title}**")
    with st.container(horizontal=True, key=f"{key}-{title.lower()}", gap="small"):
        yield


@st.fragment
def results(figures: dict, found: dict[str, dict], study=None) -> None:
    """What a page offers of its charts, {file's name: chart}, and of the results behind them, {name: result}; study: the one
    study of the page, whose particles and texts are offered too."""
    base = {name: next(iter(figures)) if study else "rows" for name in found}
    plain = {name: {k: v for k, v in result.items() if k != "done"} for name, result in found.items()}
    for name, figure in figures.items():
        title = "Picture" if len(figures) == 1 else f"Picture: {figure.y.title}".replace("\n", " ")
        with _group(title, "export"):
            _figure(figure, "export" if study else f"export-{name}", name)
    figure_options()
    with _group("Numbers", "export"):
        for name, result in plain.items():
            _each(name, result, base[name], NUMBERS)
            if answers := result.get("reach"):
                _button("CSV of N(ε)", lambda answers=answers: export.rows_csv({"rows": answers}), f"steps-{base[name]}.csv",
                        "export-reach", "The numbers of steps found and those the theorems ask for.")  # fmt: skip
        if study and study.work and next(iter(found.values())).get("done", 1.0) == 1.0:
            tip = "Final positions under every scheme and the reference."
            if engine.kept_particles(study) is None:
                tip += f" They are simulated again, in about {max(1, engine.seconds(study.price)):.0f} s."
            _button("Particles", lambda: engine.particles(study, session=session()), f"{next(iter(figures))}.npz", "export-npz", tip)
    if study and study.work == 0:
        st.caption("An exact law has no particles; the page Watch offers some.")
    with _group("Reproduce", "export"):
        for name, result in plain.items():
            _each(name, result, base[name], REPRODUCE)
            study_file(result["study"], tail=_tail(name), after=_after(name))
    with _group("Cite", "export"):
        _bibtex()
        for name, result in plain.items():
            _caption(lambda result=result: export.caption(result), f"Caption{_after(name)}")


def stem(result: dict) -> str:
    """The name of a result's files, without what follows the dot."""
    return export.filename(result, "svg").removesuffix(".svg")


def _tail(name) -> str:
    return f"-{name.replace(' ', '-')}" if name else ""


def _after(name) -> str:
    return f", {name}" if name else ""


NUMBERS = (
    ("csv", "CSV", export.rows_csv, "The rows behind the picture."),
    ("json", "JSON", export.result_json, "Study, facts, rows, fits and notes."),
    ("tex", "LaTeX", export.latex_table, "The rows as a table with its caption; needs booktabs."),
)
REPRODUCE = (("py", "Python", export.snippet, "Reproduces these numbers in a clone of the lab."),)


def _each(name, result, base, kinds) -> None:
    for kind, label, make, tip in kinds:
        tail = _tail(name)
        _button(label + _after(name), lambda make=make: make(result), f"{base}{tail}.{kind}", f"export-{kind}{tail}", tip)


def _bibtex() -> None:
    _button("BibTeX", export.bibtex, "dlab.bib", "export-bib", "The papers of the theorems shown, and the lab.")


@st.fragment
def picture(figure, name: str, key: str, rows: list | None = None, answer: dict | None = None) -> None:
    """What a picture offers, as files called `name`, with the rows or the answer behind it; key: of these buttons on their page."""
    whole = answer if rows is None else {**(answer or {}), "rows": rows}
    if figure:
        with _group("Picture", key):
            _figure(figure, key, name)
    if whole:
        with _group("Numbers", key):
            _button("CSV", lambda: export.rows_csv(whole), f"{name}.csv", f"{key}-csv", "The rows behind the picture.")
            if answer is not None:
                _button("JSON", lambda: export.result_json(whole), f"{name}.json", f"{key}-json", "Everything behind the picture.")


def figure_options() -> None:
    """The options of every figure on the page, folded; their values stay while the visitor changes pages."""
    chosen = _chosen()

    def keeps(name):
        # Streamlit forgets a widget that is not drawn, and may then hand out the value that stood there before it.
        st.session_state[KEY + name] = chosen[name]
        return {"key": KEY + name, "on_change": _keep, "args": (name,)}

    box = st.expander("Size, font and palette of pictures", key="figure-options-open", on_change="rerun")
    if not box.open:
        return
    with box:
        left, right = st.columns(2, vertical_alignment="bottom")
        unit = right.segmented_control(
            "Unit", list(WIDTHS), required=True, help="mm: PNG at 300 dpi. px: PNG exactly this wide, 96 px an inch.", **keeps("unit")
        )
        low, high = WIDTHS[unit]
        left.number_input(
            f"Width ({unit})", low, high, step=5 if unit == "mm" else 50, help="Of the whole figure; the height follows.", **keeps(unit)
        )
        st.number_input(
            "Font size (pt)", 4.0, 24.0, step=0.5, format="%g", help="Of axes and legend, as printed.", **keeps("font")
        )
        st.segmented_control(
            "Palette", PALETTES, required=True,
            help="The colours are safe for colour-blind readers; in grey, markers and dashes differ.", **keeps("grey"),
        )  # fmt: skip
        st.checkbox("Key", help="Shows which marker and line belongs to which scheme.", **keeps("legend"))
        width, font = _width_mm(chosen), chosen["font"]
        if font > largest_font(width):
            st.caption(f"{font:g} pt does not fit this width: {largest_font(width):.3g} pt is used.")
    if st.session_state.pop("figure-options-moved", False):
        st.rerun()  # every row of buttons on the page makes its files with them


def _keep(name) -> None:
    st.session_state["figure-options-moved"] = True
    st.session_state[CHOSEN] = {**_chosen(), name: st.session_state[KEY + name]}


def _chosen() -> dict:
    return st.session_state.get(CHOSEN, OPTIONS)


def _width_mm(chosen) -> float:
    return chosen["mm"] if chosen["unit"] == "mm" else chosen["px"] / PX_PER_INCH * 25.4


def _options(kind) -> dict:
    """Arguments of `export.figure_bytes`."""
    if kind == "html":
        return {}
    chosen = _chosen()
    width = {"width_mm": chosen["mm"]} if chosen["unit"] == "mm" else {"width_px": chosen["px"]}
    font = min(chosen["font"], largest_font(_width_mm(chosen)))
    return {**width, "font_pt": font, "grey": chosen["grey"] == "Grey", "legend": chosen["legend"]}


def _figure(figure, key, name) -> None:
    for kind in FIGURES:
        options = _options(kind)
        _button(kind.upper(), lambda kind=kind, options=options: export.figure_bytes(figure, kind, **options), f"{name}.{kind}",
                f"{key}-{kind}")  # fmt: skip


def study_file(study: dict, tip: str = "Reopen it here, or run it: python -m dlab run study.json --out DIR", tail="", after="") -> None:
    """A download button of a study file."""
    _button("Study" + after, lambda: dumps(study, indent=1), f"study{tail}.json", f"export-study{tail}", tip)


@st.fragment
def particles(study, steps: int, count: int, meta: dict) -> None:
    """What the page of moving particles offers."""
    name = f"particles-{study.target['name']}-{'-'.join(study.schemes)}"
    at = f"h = {step_size(study.T / steps)}" if study.even else f"N = {steps}"
    title = f"{', '.join(study.schemes)} at {at}, {study.target['name']} target"
    found = {
        "study": study.to_json(), "steps": steps, "particles": count,
        "rows": [dict(zip(meta["table"], values)) for values in zip(*meta["table"].values())], "notes": meta["notes"],
    }  # fmt: skip
    with _group("Picture", "export"):
        for kind, label, tip in (
            ("mp4", "MP4", "A video of 1080 lines; drawing it takes about half a minute."),
            ("gif", "GIF", "A moving picture for slides; drawing it takes some seconds."),
            ("html", "HTML player", "One page with this player and its movie; it works offline."),
        ):
            _button(label, lambda kind=kind: movies.film(study, steps, count, kind, title), f"{name}.{kind}", f"film-{kind}", tip,
                    lacks=export.missing(kind))  # fmt: skip
    if lacks := export.missing("mp4"):
        st.caption(frame.plain(lacks))
    with _group("Numbers", "export"):
        for kind, make in (("csv", export.rows_csv), ("json", export.result_json)):
            tip = "The distance of each scheme after each step."
            _button(kind.upper(), lambda make=make: make(found), f"{name}.{kind}", f"distances-{kind}", tip)
        _button("Particles (NPZ)", lambda: movies.positions(study, steps, count), "particles.npz", "export-npz",
                "Positions at every frame, in single precision; computed again on request.")  # fmt: skip
    with _group("Reproduce", "export"):
        study_file(study.to_json())
        _button("Python", lambda: export.motion_snippet(study.to_json(), steps, count), f"{name}.py", "export-py",
                "Moves the same particles in a clone of the lab.")  # fmt: skip
    with _group("Cite", "export"):
        _bibtex()
        _caption(lambda: export.motion_caption(study.to_json(), steps, count, meta["sentence"]))


def _caption(text, label: str = "Caption") -> None:
    box = st.expander(label, key=f"caption-{label}", on_change="rerun")
    if box.open:
        with box:
            st.code(text(), language=None, wrap_lines=True)


def _button(label, make, name, key, tip=None, lacks=None) -> None:
    """One download button: make() gives the file when it is asked for; lacks: why it cannot."""
    st.download_button(
        label, make, file_name=name, mime=export.MIME[name.rsplit(".", 1)[-1]], on_click="ignore", key=key, help=lacks or tip,
        disabled=bool(lacks),
    )  # fmt: skip
