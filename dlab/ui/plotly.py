"""A Plotly figure on the page from its JSON, without a pass through Plotly's Python validators (50 ms a figure)."""

import streamlit as st
from streamlit.elements.lib.form_utils import current_form_id
from streamlit.elements.lib.layout_utils import LayoutConfig
from streamlit.elements.lib.utils import compute_and_register_element_id
from streamlit.elements.plotly_chart import PlotlyChartSelectionSerde
from streamlit.proto.PlotlyChart_pb2 import PlotlyChart
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state import register_widget

from dlab.cache import dumps


def show(spec: str, height: int, config: dict, key: str, alt: str, place=None, picked=None) -> None:
    """What `place.plotly_chart(figure, theme=None, config=config, key=key, alt=alt)` sends, from the figure's JSON text and its height
    in px. It fills the message that Streamlit's minor version in requirements.txt fills; a test compares the two. picked, where it is
    given: called with the customdata of a point that was clicked."""
    page = (place or st).container.__self__  # the DeltaGenerator of a place, of `st` that of the page
    alt = alt.strip()
    chart = PlotlyChart(theme="", form_id=current_form_id(page), spec=spec, config=dumps(config))
    if alt:
        chart.alt = alt
    chart.id = compute_and_register_element_id(
        "plotly_chart", user_key=key, key_as_main_identity=False, dg=page, plotly_spec=spec, plotly_config=chart.config,
        selection_mode="points" if picked else ("points", "box", "lasso"), is_selection_activated=bool(picked),
        theme=None, width="stretch", height="content", alt=alt or None,
    )  # fmt: skip
    if picked:
        chart.selection_mode.append(PlotlyChart.SelectionMode.POINTS)
        serde = PlotlyChartSelectionSerde()

        def clicked():
            points = st.session_state[key]["selection"]["points"]
            if points and "customdata" in points[-1]:
                picked(points[-1]["customdata"])

        register_widget(
            chart.id, on_change_handler=clicked, deserializer=serde.deserialize, serializer=serde.serialize, ctx=get_script_run_ctx(),
            value_type="string_value",
        )  # fmt: skip
    page._enqueue("plotly_chart", chart, layout_config=LayoutConfig(width="stretch", height=height))
