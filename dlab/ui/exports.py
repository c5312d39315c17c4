"""The export rows: every file is made when it is asked for, not before."""

import json

import streamlit as st

from dlab import engine, export
from dlab.export.files import PX_PER_INCH
from dlab.figures.chart import largest_font
from dlab.figures.numbers import step_size
from dlab.ui import frame, runs

FIGURES = ("svg", "pdf", "png", "html")
# What the visitor chose for figures; in the session, not in the link.
OPTIONS = {"unit": "mm", "mm": 160, "px": 800, "font": 9.0, "grey": "Colour", "legend": True}
KEY, CHOSEN = "figure-option-", "figure-options"
WIDTHS = {"mm": (40, 400), "px": (200, 4000)}
PALETTES = ("Colour", "Grey")


def row(study, result: dict, figure) -> None:
    """Download buttons for the figure, the rows, the particles and the study, and for the text of a paper."""
    whole, result = result.get("done", 1.0) == 1.0, {k: v for k, v in result.items() if k != "done"}
    st.markdown("**Download**")
    with st.container(horizontal=True, key="exports"):
        _figure(figure, "export", lambda kind: export.filename(result, kind))
        figure_options()
        _button("CSV", lambda: export.rows_csv(result), result, "csv", "The rows behind the picture.")
        if answers := result.get("reach"):
            st.download_button(
                "CSV of N(ε)", lambda: export.rows_csv({"rows": answers}), file_name=f"steps-{export.filename(result, 'csv')}",
                mime=export.MIME["csv"], on_click="ignore", key="export-reach", help="Found and promised numbers of steps.",
            )  # fmt: skip
        _button("JSON", lambda: export.result_json(result), result, "json", "Study, facts, rows, fits and notes.")
        study_file(result["study"])
        _button("Python", lambda: export.snippet(result), result, "py", "Reproduces these numbers when run in a clone of the lab.")
        _button("LaTeX", lambda: export.latex_table(result), result, "tex", "The rows as a table with its caption; needs booktabs.")
        _bibtex()
        _caption(export.caption(result))
        if study.work == 0:
            st.caption("An exact law has no particles; the Particles page exports some.")
        elif whole:
            tip = "Final positions of every scheme and of the reference."
            if engine.particles(study) is None:
                tip += f" Simulated anew: about {max(1, engine.seconds(study.price)):.0f} s."
            _button("Particles", lambda: engine.particles_anew(study), result, "npz", tip)


def varied(figures: dict, results: dict[str, dict]) -> None:
    """Download buttons for the charts of a page and for the studies behind them, by name."""
    st.markdown("**Download**")
    with st.container(horizontal=True, key="exports"):
        for name, figure in figures.items():
            if len(figures) > 1:
                st.caption(figure.y.title.replace("\n", " "), width="content")
            _figure(figure, f"export-{name}", lambda kind, name=name: f"{name}.{kind}")
        figure_options()
        for name, result in results.items():
            result = {k: v for k, v in result.items() if k != "done"}
            tail, said = f"-{name.replace(' ', '-')}" if name else "", f", {name}" if name else ""
            for kind, label, make, tip in (
                ("csv", "CSV", export.rows_csv, "The rows behind the picture."),
                ("json", "JSON", export.result_json, "Study, facts, rows, fits and notes."),
                ("study", "Study", lambda r: json.dumps(r["study"], indent=1), "Run it: python -m dlab run study.json --out DIR"),
                ("py", "Python", export.snippet, "Reproduces these numbers when run in a clone of the lab."),
                ("tex", "LaTeX", export.latex_table, "The rows at the finest h as a table with its caption; needs booktabs."),
            ):
                suffix = "json" if kind == "study" else kind
                st.download_button(
                    label + said, lambda make=make, result=result: make(result), mime=export.MIME[suffix], on_click="ignore", help=tip,
                    file_name=f"study{tail}.json" if kind == "study" else f"rows{tail}.{kind}", key=f"export-{kind}{tail}",
                )  # fmt: skip
            _caption(export.caption(result), f"Caption{said}")
        _bibtex()


def figure_options() -> None:
    """The popover with the options of every figure on the page; their values stay while the visitor changes pages."""
    chosen = _chosen()

    def keeps(name):
        # Streamlit forgets a widget that is not drawn, and may then hand out the value that stood there before it.
        st.session_state[KEY + name] = chosen[name]
        return {"key": KEY + name, "on_change": _keep, "args": (name,)}

    with st.popover("Figure options"):  # a tip would lie over its last line
        left, right = st.columns(2, vertical_alignment="bottom")
        unit = right.segmented_control(
            "Unit", list(WIDTHS), required=True, help="mm: PNG at 300 dpi. px: PNG exactly so wide, 96 px an inch.", **keeps("unit")
        )
        low, high = WIDTHS[unit]
        left.number_input(
            f"Width ({unit})", low, high, step=5 if unit == "mm" else 50, help="Of the whole figure; its height follows.", **keeps(unit)
        )
        st.number_input(
            "Font size (pt)", 4.0, 24.0, step=0.5, format="%g", help="Of the axes and the legend, as printed.", **keeps("font")
        )
        st.segmented_control(
            "Palette", PALETTES, required=True,
            help="The colours are told apart by colour-blind eyes too; in grey, markers and dashes tell.", **keeps("grey"),
        )  # fmt: skip
        st.checkbox("Legend", help="Which marker and line is which scheme.", **keeps("legend"))
        width, font = _width_mm(chosen), chosen["font"]
        if font > largest_font(width):
            st.caption(f"{font:g} pt does not fit this width: {largest_font(width):.3g} pt is used.")


def _keep(name) -> None:
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
        st.download_button(
            kind.upper(), lambda kind=kind, options=options: export.figure_bytes(figure, kind, **options),
            file_name=name(kind), mime=export.MIME[kind], on_click="ignore", key=f"{key}-{kind}",
        )  # fmt: skip


def sheet(figure, name: str, rows: list | None = None, key: str = "sheet") -> None:
    """Download buttons of a figure that belongs to no study's rows, and of the rows behind it where there are some."""
    with st.container(horizontal=True, key=f"{key}-exports"):
        _figure(figure, key, lambda kind: f"{name}.{kind}")
        if rows:
            st.download_button(
                "CSV", lambda: export.rows_csv({"rows": rows}), file_name=f"{name}.csv", mime=export.MIME["csv"], on_click="ignore",
                key=f"{key}-csv", help="The rows behind the picture.",
            )  # fmt: skip


def diagram(figure, name: str) -> None:
    """Download buttons of a page's second picture."""
    st.caption("The second picture:")
    with st.container(horizontal=True, key="diagram-exports"):
        _figure(figure, "diagram", lambda kind: f"{name}.{kind}")


def ways(figure, found: dict) -> None:
    """Download buttons of the picture of one scheme measured in every way."""
    named(figure, found, f"ways-{found['scheme']}", "ways")


def named(figure, found: dict, name: str, key: str) -> None:
    """Download buttons of a picture and of the answer behind it, files called `name`; key: this row's on its page."""
    with st.container(horizontal=True, key=f"{key}-exports"):
        _figure(figure, key, lambda kind: f"{name}.{kind}")
        _answer(found, name, key)


def _answer(found, name, key, tip: str | None = None) -> None:
    for kind, label, make in (("csv", "CSV", export.rows_csv), ("json", "JSON", export.result_json)):
        st.download_button(
            label, lambda make=make: make(found), file_name=f"{name}.{kind}", mime=export.MIME[kind], on_click="ignore",
            key=f"{key}-{kind}", help=tip,
        )  # fmt: skip


def study_file(study: dict, tip: str = "Reopen it here, or run it: python -m dlab run study.json --out DIR") -> None:
    """A download button of a page's one study file."""
    st.download_button(
        "Study", json.dumps(study, indent=1), file_name="study.json", mime=export.MIME["json"], on_click="ignore", key="export-study",
        help=tip,
    )  # fmt: skip


def particles(study, steps: int, count: int, meta: dict) -> None:
    """Download buttons of the particles page."""
    name = f"particles-{study.target['name']}-{'-'.join(study.schemes)}"
    title = f"{', '.join(study.schemes)} at h = {step_size(study.T / steps)}, {study.target['name']} target"
    st.markdown("**Download**")
    with st.container(horizontal=True, key="exports"):
        for kind, label, tip in (
            ("mp4", "MP4", "A video, drawn when asked for: some seconds."),
            ("gif", "GIF", "A moving picture for slides, drawn when asked for: some seconds."),
            ("html", "HTML player", "One page with this player and its movie; works without a network."),
        ):
            lacks = export.missing(kind)
            st.download_button(
                label, lambda kind=kind: runs.film(study, steps, count, kind, title), file_name=f"{name}.{kind}",
                mime=export.MIME[kind], on_click="ignore", key=f"film-{kind}", help=lacks or tip, disabled=bool(lacks),
            )  # fmt: skip
        found = {
            "study": study.to_json(), "steps": steps, "particles": count,
            "rows": [dict(zip(meta["table"], values)) for values in zip(*meta["table"].values())], "notes": meta["notes"],
        }  # fmt: skip
        _answer(found, name, "distances", "The distance so far of each scheme, by step.")
        st.download_button(
            "Particles (NPZ)",
            lambda: runs.positions(study, steps, count),
            file_name="particles.npz",
            mime=export.MIME["npz"],
            on_click="ignore",
            help="Positions at every frame, in single precision; they are computed anew when asked for.",
        )
        study_file(study.to_json())
        st.download_button(
            "Python", lambda: export.motion_snippet(study.to_json(), steps, count), file_name=f"{name}.py",
            mime=export.MIME["py"], on_click="ignore", help="Moves the same particles again, in a clone of the lab.",
        )  # fmt: skip
        _caption(export.motion_caption(study.to_json(), steps, count, meta["sentence"]))
        _bibtex()
    if lacks := export.missing("mp4"):
        st.caption(frame.plain(lacks))


def _caption(text: str, label: str = "Caption") -> None:
    with st.popover(label):  # as above
        st.code(text, language=None, wrap_lines=True)


def _bibtex() -> None:
    st.download_button(
        "BibTeX", export.bibtex, file_name="dlab.bib", mime=export.MIME["bib"], on_click="ignore",
        help="The papers whose theorems are shown, and the lab.",
    )  # fmt: skip


def _button(label, make, result, kind, tip=None):
    st.download_button(
        label,
        make,
        file_name=export.filename(result, kind),
        mime=export.MIME[kind],
        on_click="ignore",
        help=tip,
        key=f"export-{kind}",
    )
