"""A browser for all tests that walk through the app's pages."""

import pytest
from server import ROOT
from streamlit import delta_generator

from dlab.ui import process


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch, cache):
    """An app in this process finds its files and keeps its results beside those of the servers; it would compile in the background, and
    end abruptly where it still does."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DLAB_CACHE", str(cache))
    monkeypatch.setattr(process, "begin", lambda: True)


@pytest.fixture
def sent(monkeypatch):
    """sent(kind) -> the list of what Streamlit sends from now on of elements of that kind."""
    send = delta_generator._enqueue_message

    def begin(kind):
        found = []

        def kept(message):
            if message.delta.new_element.HasField(kind):
                found.append(message)
            send(message)

        monkeypatch.setattr(delta_generator, "_enqueue_message", kept)
        return found

    return begin


@pytest.fixture(scope="session")
def window(chromium):
    """window(width and height, colour scheme): a new page of one browser context, which has read Streamlit's scripts before."""
    context = chromium.new_context()

    def new(viewport, color_scheme="light", **media):
        page = context.new_page()
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme, **media)
        return page

    yield new
    context.close()
