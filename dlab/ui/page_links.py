"""A link to a page, from a query that is spelled once for many: Streamlit spells and checks that of every link anew."""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlencode

import streamlit as st
from streamlit.elements.lib.layout_utils import LayoutConfig
from streamlit.proto.PageLink_pb2 import PageLink


def show(page: st.Page, label: str, query: str) -> None:
    """What `st.page_link(page, label=label, query_params=...)` sends, with the query as `spelled`. It fills the message that
    Streamlit's minor version in requirements.txt fills; a test compares the two."""
    link = PageLink(page=page.url_path, page_script_hash=page._script_hash, label=label, icon=page.icon, query_string=query)
    st.container.__self__._enqueue("page_link", link, layout_config=LayoutConfig(width="content"))


def spelled(*parts: Mapping[str, str]) -> str:
    """The query string of all parts, which share no key."""
    return "&".join(text for text in (_spelled(tuple(part.items())) for part in parts) if text)


@lru_cache(maxsize=512)
def _spelled(items) -> str:
    return urlencode(items)
