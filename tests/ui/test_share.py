"""The link that is shared: where it points, what it warns of, and a QR code that says the same."""

import io

import pytest
from PIL import Image

from dlab.ui import links, share


@pytest.fixture
def shown(monkeypatch):
    """shown(url): as if a browser showed the lab there."""

    class Context:
        url = None

    monkeypatch.setattr(share.st, "context", Context)
    monkeypatch.delenv(share.ADDRESS, raising=False)
    return lambda url: setattr(Context, "url", url)


@pytest.mark.parametrize(
    ("url", "address", "warns"),
    [
        ("http://localhost:8501/convergence", "http://localhost:8501", True),
        ("http://127.0.0.1:8501/convergence/", "http://127.0.0.1:8501", True),
        ("http://[::1]:8501/convergence", "http://[::1]:8501", True),
        ("http://192.168.1.7:8501/convergence", "http://192.168.1.7:8501", False),
        ("https://x.example/lab/convergence", "https://x.example/lab", False),
        (None, "http://localhost:8501", True),
    ],
)
def test_the_link_points_where_the_browser_is(shown, url, address, warns):
    shown(url)
    found, said = share.base("convergence")
    assert found == address
    assert ("this machine only" in said) == warns


def test_a_public_address_wins(shown, monkeypatch):
    shown("http://localhost:8501/convergence")
    monkeypatch.setenv(share.ADDRESS, "https://lab.example.org/ ")
    assert share.base("convergence") == ("https://lab.example.org", "")
    assert share.link("https://lab.example.org", "home", links.DEFAULTS).startswith("https://lab.example.org/?v=1&")
    for wrong in ("lab.example.org", "ftp://x.example", "https://", "https://[x", "https://x.example/?a=1"):
        monkeypatch.setenv(share.ADDRESS, wrong)
        address, said = share.base("convergence")
        assert address == "http://localhost:8501"
        assert "ignored" in said


def test_the_qr_code_holds_the_link():
    text = share.link("https://lab.example.org", "convergence", links.DEFAULTS)
    assert len(text) < share.SCANNED / 2, "a scene of the controls alone must leave room for a lesson"
    code = share.qr(text)
    out = io.BytesIO()
    code.save(out, kind="png", scale=1, border=0)
    assert Image.open(out).size == code.symbol_size(border=0)
    assert share._svg(code).startswith("<svg xmlns=")
    assert text not in share._svg(code)
    longest = {**links.DEFAULTS, "title": "t" * 200, "question": "q" * 200, "hide": tuple(links.GROUPS), "present": True}
    assert share.qr(share.link("https://lab.example.org", "convergence", longest))
    assert share.qr("x" * (share.SCANNED + 1)) is None
