"""One server of the app, and a browser, for all tests that walk through its pages."""

import pytest
from server import running


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """The folder of results and compiled code that the servers of these tests share."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def app(cache):
    with running(cache) as address:
        yield address


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
