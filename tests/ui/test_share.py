"""The link that is shared: where it points, what it warns of, and a QR code that says the same."""

import numpy as np
import pytest
import qrcode

from dlab.ui import settings, share


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
    assert share.link("https://lab.example.org", "home", settings.defaults()).startswith("https://lab.example.org/?v=2")
    for wrong in ("lab.example.org", "ftp://x.example", "https://", "https://[x", "https://x.example/?a=1"):
        monkeypatch.setenv(share.ADDRESS, wrong)
        address, said = share.base("convergence")
        assert address == "http://localhost:8501"
        assert "ignored" in said


def read(code) -> str:
    """The text in the squares of a code, by another library's tables; no wrong square is forgiven, as a phone would."""
    level = getattr(qrcode.constants, f"ERROR_CORRECT_{code.error}")
    squares = np.array([[bool(dark) for dark in row] for row in code.matrix])
    # The squares that hold no data, and say version, level and mask.
    other = qrcode.QRCode(code.version, level)
    other.modules_count = n = len(squares)
    other.modules = [[None] * n for _ in range(n)]
    for corner in ((0, 0), (n - 7, 0), (0, n - 7)):
        other.setup_position_probe_pattern(*corner)
    other.setup_position_adjust_pattern()
    other.setup_timing_pattern()
    other.setup_type_info(False, code.mask)
    if code.version >= 7:
        other.setup_type_number(False)
    plan = np.array(other.modules, dtype=object)
    fixed = plan != None  # noqa: E711
    assert (squares[fixed] == plan[fixed].astype(bool)).all()
    # Two columns at a time from the right, up and down in turn; the sixth column is a ruler.
    bits, upwards, masked = [], True, qrcode.util.mask_func(code.mask)
    for right in [*range(n - 1, 6, -2), *range(5, 0, -2)]:
        for y in range(n - 1, -1, -1) if upwards else range(n):
            bits += [squares[y, x] ^ masked(y, x) for x in (right, right - 1) if not fixed[y, x]]
        upwards = not upwards
    words = np.packbits(bits[: len(bits) // 8 * 8])
    blocks = qrcode.base.rs_blocks(code.version, level)
    longest = max(block.data_count for block in blocks)
    turns = [(i, k) for k in range(longest) for i, block in enumerate(blocks) if k < block.data_count]
    data = bytes(word for _, word in sorted(zip(turns, words)))
    buffer = qrcode.util.BitBuffer()
    for word in data:
        buffer.put(word, 8)
    assert bytes(qrcode.util.create_bytes(buffer, blocks)) == bytes(words), "the check words are wrong"
    wide = 8 if code.version < 10 else 16
    message = "".join(f"{word:08b}" for word in data)
    assert message[:4] == "0100", "bytes"
    end = 4 + wide + 8 * int(message[4 : 4 + wide], 2)
    assert set(message[end : end + 4]) <= {"0"}
    return int(message[4 + wide : end], 2).to_bytes((end - 4 - wide) // 8).decode()


LESSON = {"title": "t" * 200, "question": "q" * 200, "hide": tuple(settings.GROUPS), "present": True}


@pytest.mark.parametrize("words", [{}, {"title": "速い? ½ & <b>", "T": 7}, LESSON])
def test_the_qr_code_says_the_link(words):
    text = share.link("https://lab.example.org", "convergence", {**settings.defaults(), **words})
    assert read(share.qr(text)) == text


def test_the_picture_of_the_qr_code_is_the_code():
    text = share.link("https://lab.example.org", "convergence", settings.defaults())
    assert len(text) < share.SCANNED / 2, "a scene of the controls alone must leave room for a lesson"
    code = share.qr(text)
    assert share._svg(code).startswith("<svg xmlns=")
    assert text not in share._svg(code)
    assert share.qr("x" * (share.SCANNED + 1)) is None
