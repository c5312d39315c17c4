"""A link to a page reaches the browser as Streamlit would send it."""

from streamlit.testing.v1 import AppTest


def both():
    import streamlit as st

    from dlab.ui import page_links

    shared, own = {"v": "1", "h": "0.5..0.25", "title": "a&b =é"}, {"theory.epsilon": "0.1"}
    page = st.Page(lambda: None, title="A page", url_path="theory")
    with st.container(horizontal=True):
        st.page_link(page, label="Theory", query_params=shared | own)
        page_links.show(page, "Theory", page_links.spelled(shared, own))
        page_links.show(page, "Theory", page_links.spelled({}, {}))
        st.page_link(page, label="Theory")


def test_the_message_is_streamlit_s_own(monkeypatch, sent):
    messages = sent("page_link")
    monkeypatch.setattr("streamlit.elements.widgets.button._validate_registered_page", lambda page: None)
    at = AppTest.from_function(both, default_timeout=120).run()
    assert not at.exception, at.exception
    theirs, ours, bare, plain = (message.delta.new_element for message in messages)
    assert ours == theirs
    assert bare == plain
    assert "v=1" in ours.page_link.query_string
