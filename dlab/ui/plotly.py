"""A Plotly figure on the page from its JSON, without a pass through Plotly's Python validators (50 ms a figure)."""

import streamlit as st
from streamlit.elements.lib.form_utils import current_form_id
from streamlit.elements.lib.layout_utils import LayoutConfig
from streamlit.elements.lib.utils import compute_and_register_element_id
from streamlit.proto.PlotlyChart_pb2 import PlotlyChart

from dlab.cache import dumps


def show(spec: str, height: int, config: dict, key: str, alt: str, place=None) -> None:
    """What `place.plotly_chart(figure, theme=None, config=config, key=key, alt=alt)` sends, from the figure's JSON text and its height
    in px. It fills the message that Streamlit's minor version in requirements.txt fills; a test compares the two."""
    page = (place or st).container.__self__  # the DeltaGenerator of a place, of `st` that of the page
    alt = alt.strip()
    chart = PlotlyChart(theme="", form_id=current_form_id(page), spec=spec, config=dumps(config))
    if alt:
        chart.alt = alt
    chart.id = compute_and_register_element_id(
        "plotly_chart", user_key=key, key_as_main_identity=False, dg=page, plotly_spec=spec, plotly_config=chart.config,
        selection_mode=("points", "box", "lasso"), is_selection_activated=False, theme=None, width="stretch", height="content",
        alt=alt or None,
    )  # fmt: skip
    page._enqueue("plotly_chart", chart, layout_config=LayoutConfig(width="stretch", height=height))
