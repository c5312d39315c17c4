"""A figure reaches the browser as Streamlit would send it."""

import json

from streamlit.testing.v1 import AppTest

from dlab.figures import screen
from dlab.figures.chart import Axis, Chart, Curve


def theirs():
    import json

    import streamlit as st

    with st.container():
        figure = json.loads(st.session_state["spec"])
        st.plotly_chart(figure, theme=None, config={"displaylogo": False}, key="k", alt=" a curve ")


def ours():
    import streamlit as st

    from dlab.ui import plotly

    with st.container():
        plotly.show(st.session_state["spec"], 321, {"displaylogo": False}, "k", " a curve ")


def test_the_message_is_streamlit_s_own(sent):
    axis = Axis("x", (0.5, 4.0), ((1.0, "1"),))
    chart = Chart("c", axis, axis, (Curve("a", (1.0, 2.0), (1.0, 3.0), marker="circle", dash="solid"),), alt="a")
    messages = sent("plotly_chart")
    for script in (theirs, ours):
        at = AppTest.from_function(script)
        at.session_state["spec"] = screen.spec(chart, "light", False, 321)
        at.run()
        assert not at.exception
    specs, names = [], []
    for message in messages:
        proto = message.delta.new_element.plotly_chart
        specs.append(json.loads(proto.spec))
        names.append((proto.id.split("-")[0], proto.id.split("-")[-1]))
        proto.spec = proto.id = ""
        message.hash = message.metadata.active_script_hash = ""
    specs[0]["layout"].pop("template")  # Plotly's defaults, of which a chart sets its own
    assert specs[0] == specs[1]
    assert names[0] == names[1]
    assert messages[0] == messages[1]
    assert messages[1].delta.new_element.height_config.pixel_height == 321
