"""The key of charts that stand side by side: it shows every look that a curve can have, and stands below pictures of one height."""

import itertools
import re

import pytest

from dlab import look
from dlab.figures import keys
from dlab.figures.chart import Key


def test_every_marker_and_dash_has_its_own_sign():
    assert keys.GLYPHS.keys() == look.MARKERS.keys()
    assert keys.DASHES.keys() == look.DASHES.keys()
    signs = [keys.to_html([Key("a", marker=marker, dash=dash)], 0) for marker in ("", *look.MARKERS) for dash in look.DASHES]
    assert len(set(signs)) == len(signs)


@pytest.mark.parametrize("shade", [0, 1])
def test_an_entry_has_its_colour_its_name_and_the_dash_of_its_line(shade):
    colours = ("#123456", "#abcdef")
    entries = [Key("a < b", colours, dash="dashdot"), Key("b", colours, marker="circle", filled=False), Key("c", colours, band=True)]
    line, mark, band, words = re.findall("<span>(.*?)</span>", keys.to_html([*entries, Key("d")], shade))
    for entry in (line, mark, band):
        assert colours[shade] in entry
        assert colours[1 - shade] not in entry
    ends = [(int(a), int(b)) for a, b in re.findall(r"(\d+)px (\d+)px", line)]
    assert ends[0][0] == 0
    assert all(a[1] == b[0] for a, b in itertools.pairwise(ends))
    assert line.endswith("a &lt; b")
    assert "○" in mark
    assert words == "d"
