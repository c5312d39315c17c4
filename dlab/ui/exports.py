"""The export row: every file is made when it is asked for, not before."""

import json

import streamlit as st

from dlab import export, jobs
from dlab.ui import runs

FIGURES = ("svg", "pdf", "png", "html")


def row(study, result: dict, figure) -> None:
    """Download buttons for the figure, the rows, the particles and the study."""
    result = {k: v for k, v in result.items() if k != "done"}
    st.markdown("**Download**")
    with st.container(horizontal=True, key="exports"):
        for kind in FIGURES:
            _button(kind.upper(), lambda kind=kind: export.figure_bytes(figure, kind), result, kind)
        _button("CSV", lambda: export.rows_csv(result), result, "csv", "The rows behind the picture.")
        _button("Result", lambda: export.result_json(result), result, "json", "Study, facts, rows, fits and notes.")
        st.download_button(
            "Study",
            json.dumps(result["study"], indent=1),
            file_name="study.json",
            mime="application/json",
            on_click="ignore",
            help="Reopen it here, or run it: python -m dlab run study.json --out DIR",
        )
        if study.work == 0:
            st.caption("An exact law has no particles; the Particles page exports some.")
        elif jobs.clouds(study) is not None:
            _button(
                "Particles",
                lambda: jobs.clouds(study),
                result,
                "npz",
                "Final positions of every scheme and of the reference.",
            )


def sheet(figure, name: str) -> None:
    """Download buttons of a sheet of maps."""
    with st.container(horizontal=True, key="sheet-exports"):
        for kind in ("svg", "pdf", "png"):
            st.download_button(
                kind.upper(), lambda kind=kind: export.figure_bytes(figure, kind), file_name=f"{name}.{kind}",
                mime=export.MIME[kind], on_click="ignore", key=f"sheet-{kind}",
            )  # fmt: skip


def particles(study, steps: int, count: int) -> None:
    """Download buttons of the particles page."""
    with st.container(horizontal=True, key="exports"):
        st.download_button(
            "Particles (NPZ)",
            lambda: runs.positions(study, steps, count),
            file_name="particles.npz",
            mime=export.MIME["npz"],
            on_click="ignore",
            help="Positions at every frame, in single precision; they are computed anew when asked for.",
        )
        st.download_button(
            "Study",
            json.dumps(study.to_json(), indent=1),
            file_name="study.json",
            mime="application/json",
            on_click="ignore",
        )


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
