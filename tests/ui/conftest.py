"""A browser for all tests that walk through the app's pages."""

import pytest


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
