"""The looks of schemes: told apart by everybody, everywhere, and by family. `seeing` says what eyes and projectors do to a colour."""

import itertools

import pytest
from seeing import EYES, apart, contrast, distance, hue, seen

from dlab import schemes
from dlab.figures.chart import NEUTRAL
from dlab.figures.screen import THEMES
from dlab.look import readable

GROUNDS = [theme["ground"] for theme in THEMES.values()]
CLEARLY, ON_A_PROJECTOR = 12.0, 9.0  # CIEDE2000; 1 is just seen side by side, 2.3 on a screen
HUES = {"EM": (255, 290), "EI": (295, 325), "REM": (38, 58), "REI": (72, 95), "SO": (150, 180)}  # blue, purple, vermilion, gold, green
FAMILIES = {"start": 222, "two-stage": 352, "ODE": 118, "multistep": 20}


def colours(name):
    style = schemes.REGISTRY[name].style
    return style.light, style.dark


def family(scheme) -> str:
    return (
        "multistep" if scheme.history else "ODE" if scheme.dynamics == "ODE" else "two-stage" if scheme.score_evals > 1 else "start"
    )


def test_the_distance_is_ciede2000():
    """Pairs of Sharma, Wu and Dalal, Table 1."""
    for one, two, want in (
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425), ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492), ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ):  # fmt: skip
        assert distance(one, two) == pytest.approx(want, abs=1e-4)
    assert seen("#ff0000") == pytest.approx((53.24, 80.09, 67.20), abs=0.05)
    assert apart("#B0703C", "#7F8A3C")["deuteranopia"] < 0.6 * apart("#B0703C", "#7F8A3C")["normal"]


@pytest.mark.parametrize("shade", [0, 1])
def test_the_five_stay_apart_for_every_eye_and_on_a_bad_projector(shade):
    for one, two in itertools.combinations(schemes.PAPER, 2):
        found = apart(colours(one)[shade], colours(two)[shade])
        assert min(found[eye] for eye in EYES) > CLEARLY, (one, two, found)
        assert found["projector"] > ON_A_PROJECTOR, (one, two, found)


def test_the_five_have_their_hues_on_both_grounds():
    for name, (low, high) in HUES.items():
        assert all(low < hue(colour) < high for colour in colours(name)), name


@pytest.mark.parametrize("name", schemes.REGISTRY)
def test_every_scheme_stands_out_from_both_grounds_and_from_what_is_no_scheme(name):
    for shade, ground in enumerate(GROUNDS):
        assert contrast(colours(name)[shade], ground) >= 3
        assert distance(seen(colours(name)[shade]), seen(NEUTRAL[shade])) > CLEARLY


def test_a_family_is_a_hue_with_members_by_shade_and_marker_and_a_dash_for_the_flow():
    for kind, at in FAMILIES.items():
        members = {n: s for n, s in schemes.REGISTRY.items() if n not in schemes.PAPER and family(s) == kind}
        assert members
        for shade in (0, 1):
            assert all(abs((hue(colours(n)[shade]) - at + 180) % 360 - 180) < 5 for n in members), kind
        assert len({colours(n) for n in members}) == len({(s.style.marker, s.style.dash) for s in members.values()}) == len(members)
        assert all((s.style.dash == "dash") == (s.dynamics == "ODE") for s in members.values())
    angles = [*FAMILIES.values(), *(hue(colours(name)[0]) for name in schemes.PAPER)]
    assert min(abs((a - b + 180) % 360 - 180) for a, b in itertools.combinations(angles, 2)) > 20


def test_words_in_a_curve_s_colour_can_be_read():
    for shade, ground in enumerate(GROUNDS):
        for name in schemes.REGISTRY:
            words = readable(colours(name)[shade], ground)
            assert contrast(words, ground) >= 4.5
            assert abs((hue(words) - hue(colours(name)[shade]) + 180) % 360 - 180) < 15
