"""The movie's bytes hold what went in, to the precision they promise, and wrong movies are refused in words."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from dlab.figures import movie as movies
from dlab.figures import particles
from dlab.figures.movie import DEPTH, LEAD, MID, Movie, Panel, at_step, clock, dressed, encode

BOX = (-3.0, 5.0, -2.0, 2.0)
RNG = np.random.default_rng(0)


def panel(frames=4, n=3, **changes):
    return Panel(**{"name": "EM", "colour_light": "#0072B2", "colour_dark": "#56B4E9",
                    "positions": RNG.uniform(-2, 2, (frames, n, 2)), "distance_label": "W₂", "real": None,
                    "distance": np.array([1.0, np.nan, 0.25, 0.1])[:frames], **changes})


def movie(**changes):
    return Movie(**{"panels": (panel(), panel(n=5, name="SO", distance=None)), "times": np.array([0, 1.0, 1.0, 0]),
                    "steps": np.array([0, 1, 0, 1]), "acts": (("Forward", 0), ("Reverse", 2)), "box": BOX,
                    "density_times": np.array([1.0, 0.0]), "density": RNG.normal(size=(2, 7, 7)),
                    "arrows": RNG.normal(size=(2, 9, 4)), **changes})


def decode(data):
    """Header, clouds, density and arrows of a movie."""
    found = movies.decode(data)
    return found, [p["positions"] for p in found["panels"]], found["density"]["drop"], found["arrows"]["values"]


def test_round_trip_is_exact_to_half_a_code():
    m = movie()
    head, clouds, drop, arrows = decode(encode(m))
    for cloud, given in zip(clouds, m.panels, strict=True):
        assert np.all(np.abs(cloud - given.positions) <= np.array([8, 4]) / MID / 2 * 1.001)
    late_first = m.density[::-1]
    assert head["density"]["times"] == [0, 1]
    given = np.minimum(late_first.max(axis=(1, 2), keepdims=True) - late_first, DEPTH)
    assert np.allclose(drop, given, atol=DEPTH / 65535)
    assert np.allclose(arrows, m.arrows[::-1], rtol=1e-6)
    assert head["acts"] == [["Forward", 0], ["Reverse", 2]]
    assert head["panels"][0]["distance"] == [1.0, None, 0.25, 0.1]
    assert head["panels"][1]["distance"] is None


def test_lost_particles_keep_apart():
    where = np.zeros((4, 6, 2))
    where[1, 0, 0] = np.nan
    where[1, 1, 1] = np.inf
    where[1, 2] = 1e300, 0
    where[1, 3] = 5.1, 0
    where[1, 4] = 5.0, 2.0
    head, (cloud,), _, _ = decode(encode(movie(panels=(panel(positions=where),))))
    assert head["panels"][0]["diverged"] == [0, 2, 0, 0]
    assert head["panels"][0]["outside"] == [0, 2, 0, 0]
    assert np.isnan(cloud[1]).all(axis=1).tolist() == [True, True, False, False, False, False]
    assert cloud[1, 2, 0] == 13.0
    assert np.allclose(cloud[1, 3], (5.1, 0), atol=1e-3)
    assert cloud[1, 4].tolist() == [5.0, 2.0]


def test_identity_follows_the_content():
    m = movie()
    name = decode(encode(m))[0]["id"]
    assert encode(m) == encode(replace(m))
    moved = replace(m.panels[0], positions=m.panels[0].positions + 0.1)
    for other in (replace(m, panels=(moved, m.panels[1])), replace(m, acts=(("All", 0),))):
        assert decode(encode(other))[0]["id"] != name


def ladder(counts=(2, 4, 8), forward=3, n=200, k=7):
    """Rungs of one scene: the same first act, then as many steps as counts say."""
    lead = RNG.normal(size=(forward, n, 2))

    def rung(steps):
        F = forward + steps + 1
        clouds = []
        for name in ("EM", "SO"):
            where = np.concatenate([lead, RNG.normal(size=(steps + 1, n, 2))])
            parts = {"drift": np.full((F, k, 2), np.nan)} | {"noise": np.full((F, k, 2), np.nan)} | {"midpoint": where[:, :k] + 0.1}
            moved = np.diff(where[forward:, :k], axis=0)
            parts["drift"][forward:-1], parts["noise"][forward:-1] = 0.25 * moved, 0.75 * moved
            clouds.append(panel(name=name, positions=where, distance=np.full(F, 1 / steps), parts=parts))
        return movie(panels=tuple(clouds), times=np.append([0, 0.5, 1], np.linspace(2, 0, steps + 1)), steps=np.arange(F),
                     acts=(("Noising", 0), ("Sampling", forward)), h=2 / steps,
                     density_times=DENSITY[0], density=DENSITY[1], arrows=DENSITY[2], ghost=GHOST[1], ghost_times=GHOST[0])

    return [rung(steps) for steps in counts]


DENSITY = np.array([1.0, 0.0]), RNG.normal(size=(2, 7, 7)), RNG.normal(size=(2, 9, 4))
GHOST = np.linspace(2, 0, 5), RNG.normal(size=(5, 7, 2))


def test_a_ladder_gives_back_each_rung_as_if_it_were_alone():
    rungs = ladder()
    data = encode(*rungs, own=1)
    assert movies.decode(data)["h"] == 0.5
    for rung in rungs:
        alone, among = movies.decode(encode(rung)), movies.decode(at_step(data, rung.h))
        for a, b, given in zip(alone["panels"], among["panels"], rung.panels, strict=True):
            np.testing.assert_array_equal(a["positions"], b["positions"])
            assert np.nanmax(np.abs(b["positions"] - given.positions)) <= 8 / MID
            for name in ("drift", "noise", "midpoint"):
                np.testing.assert_array_equal(a["tips"][name], b["tips"][name])
            ends = given.positions[3:-1, :7] + given.parts["drift"][3:-1]
            assert np.abs(b["tips"]["drift"][3:-1] - ends).max() <= 8 / MID
            assert np.abs(b["tips"]["noise"][3:-1] - given.positions[4:, :7]).max() <= 8 / MID
            assert np.isnan(b["tips"]["noise"][[0, 1, 2, -1]]).all()
            assert np.abs(b["tips"]["midpoint"] - given.parts["midpoint"]).max() <= 8 / MID
        assert np.abs(among["ghost"]["positions"] - GHOST[1]).max() <= 8 / MID
        assert among["times"] == alone["times"]
    with pytest.raises(ValueError, match="no rung has h"):
        at_step(data, 0.3)


def test_what_rungs_and_panels_share_is_stored_once():
    rungs = ladder()
    whole = len(encode(*rungs))
    motion = sum(2 * 4 * 200 * (steps + 1) + 2 * 3 * 4 * 7 * (steps + 4) for steps in (2, 4, 8))
    shared = 4 * 200 * 3 + 4 * 7 * 5 + 2 * 2 * 49 + 2 * 9 * 16
    assert whole - motion - shared < 3500  # the header


def test_lines_lead_over_frames_whose_distance_was_not_measured():
    distance = np.array([np.nan, 4.0, np.nan, 2.0, np.nan, 5.0, np.nan, np.nan, 8.0, np.nan])
    clouds = (panel(positions=np.zeros((10, 3, 2)), distance=distance),)
    head, *_ = decode(encode(movie(panels=clouds, times=np.arange(10.0), steps=np.arange(10), acts=(("a", 0), ("b", 5)))))
    assert head["panels"][0]["distance"] == [None, 4, 3, 2, None, 5, 6, 7, 8, None]
    assert head["panels"][0]["measured"] == [0, 1, 0, 1, 0, 1, 0, 0, 1, 0]


def test_a_scene_keeps_its_name_at_any_step_size():
    names = {movies.decode(encode(rung, scene="a"))["id"] for rung in ladder()}
    assert len(names) == 1
    assert names != {movies.decode(encode(ladder()[0], scene="b"))["id"]}


@pytest.mark.parametrize("steps", [1, 4, 8, 16, 32, 128])
@pytest.mark.parametrize("noising", [4, 32])
def test_noising_takes_a_fifth_and_a_coarse_step_a_second(steps, noising):
    frames = np.append(np.zeros(noising, int), np.arange(steps + 1))
    seconds = np.array(clock(frames, (("Noising", 0), ("Sampling", noising))))
    assert np.all(np.diff(seconds) > 0)
    assert seconds[noising] / seconds[-1] == pytest.approx(LEAD, abs=1e-3)
    assert LEAD <= 1 / 3
    each = np.diff(seconds[noising:])
    assert np.ptp(each) < 1e-3
    assert steps > 16 or each.min() >= 1
    assert seconds[-1] <= 20.001


def test_every_step_size_passes_t_at_the_same_share_of_its_movie():
    def share(steps, stride):
        numbers = np.append(np.zeros(3, int), np.arange(0, steps + 1, stride))
        seconds = np.array(clock(numbers, (("Noising", 0), ("Sampling", 3))))
        return dict(zip(numbers[3:] / steps, seconds[3:] / seconds[-1]))

    coarse, fine, thinned = share(4, 1), share(16, 1), share(64, 4)
    for way, at in coarse.items():
        assert fine[way] == thinned[way] == pytest.approx(at, abs=1e-4)


def test_a_clock_of_acts_that_take_steps_or_none():
    even = np.diff(clock(np.arange(21), (("First", 0), ("Second", 11))))
    assert np.ptp(even) < 1e-3
    assert clock(np.zeros(5, int), (("Still", 0),)) == [0, 0.625, 1.25, 1.875, 2.5]
    assert clock([0], (("One", 0),)) == [0]


def test_what_was_kept_is_shown_as_it_looks_today():
    data = dressed(encode(*ladder(), own=1), {"SO": ("SO · Second order", "#000001", "#000002")})
    em, so = movies.decode(data)["panels"]
    assert (em["name"], em["colours"]) == ("EM", ["#0072B2", "#56B4E9"])
    assert (so["name"], so["colours"]) == ("SO · Second order", ["#000001", "#000002"])
    assert movies.decode(data)["h"] == 0.5


def test_density_may_vanish_and_be_left_out():
    density = np.zeros((2, 7, 7))
    density[:, 0] = -np.inf
    _, _, drop, _ = decode(encode(movie(density=density)))
    assert np.allclose(drop[:, 0], DEPTH)
    assert np.all(drop[:, 1:] == 0)
    plain = encode(movie(density_times=None, density=None, arrows=None))
    assert b'"density"' not in plain


def test_size_is_what_the_docstring_says():
    m = movie(panels=(panel(4, 1001),))
    assert 0 <= len(encode(m)) - 4 * 4 * 1001 - 2 * 2 * 49 - 2 * 9 * 16 < 1500


@pytest.mark.parametrize(("make", "words"), [
    (lambda: panel(positions=np.zeros((4, 3))), r"panel 'EM': positions has shape \(4, 3\)"),
    (lambda: panel(distance=np.zeros(3)), r"distance has shape \(3,\); expected \(4,\)"),
    (lambda: panel(real=np.zeros(4, bool)), "real marks no frame"),
    (lambda: panel(colour_dark="red"), "colour_dark is 'red'"),
    (lambda: movie(panels=()), "0 panels"),
    (lambda: movie(panels=(panel(3),)), "3 frames; expected 4"),
    (lambda: movie(times=np.array([0, 1, np.nan, 0])), "times"),
    (lambda: movie(steps=np.zeros(3)), r"steps has shape \(3,\)"),
    (lambda: movie(acts=(("b", 2), ("a", 0))), r"acts start at frames \[2, 0\]"),
    (lambda: movie(acts=(("a", 4),)), "ascending frames from 0 to 3"),
    (lambda: movie(box=(0, 0, 1, 2)), "x0 < x1"),
    (lambda: movie(density=np.zeros((3, 7, 7))), r"expected \(2, G, G\)"),
    (lambda: movie(density=np.full((2, 7, 7), np.nan)), "NaN"),
    (lambda: movie(density=np.full((2, 7, 7), -np.inf)), "finite maximum"),
    (lambda: movie(density_times=np.array([1.0, 1.0])), "twice"),
    (lambda: movie(density_times=None), "density_times"),
    (lambda: movie(arrows=np.zeros((2, 9, 3))), r"arrows has shape \(2, 9, 3\)"),
    (lambda: panel(parts={"drift": np.zeros((3, 2, 2))}), r"parts\['drift'\] has shape \(3, 2, 2\)"),
    (lambda: panel(parts={"push": np.zeros((4, 2, 2))}), "a name in drift, second order, noise, midpoint"),
    (lambda: panel(parts={"noise": np.zeros((4, 9, 2))}), "k ≤ 3"),
    (lambda: movie(ghost=np.zeros((3, 2, 2)), ghost_times=np.zeros(4)), r"ghost has shape \(3, 2, 2\)"),
    (lambda: encode(movie(h=1.0), movie()), "differ in more than the step size"),
    (lambda: encode(movie(h=1.0), movie(h=0.5, box=(0, 1, 0, 1))), "differ in more than the step size"),
])
def test_what_does_not_fit_is_said(make, words):
    with pytest.raises(ValueError, match=words) as caught:
        make()
    assert "expected" in str(caught.value)
    assert ";" in str(caught.value)


def test_what_is_said_of_a_motion():
    def track(scheme, last, lost=0, method="exact"):
        return SimpleNamespace(scheme=scheme, distance=np.array([0.0, last]), diverged=lost, states=np.zeros((2, 500, 2)), method=method)

    tracks = track("EM", 0.10234), track("REM", 0.017, method="joint"), track("SO", np.nan, 17), track("EI", np.nan)
    motion = SimpleNamespace(tracks=tracks, times=np.array([4.0, 0.0]), count=16, h=0.25)
    said = particles.sentence(motion)
    for part in ("h = 1/4 (16 steps)", "W₂ = 0.102 (exact)", "W₂ = 0.0170 (joint)", "SO loses 17 of 500", "W₂ of EI"):
        assert part in said, part
    assert particles.lower(motion) == []
    tracks = track("EM", 0.1), track("REM", 0.017, method="lower")
    motion = SimpleNamespace(tracks=tracks, times=np.array([4.0, 0.0]), count=16, h=0.25)
    assert "W₂ ≥ 0.0170 (a lower bound)" in particles.sentence(motion)
    assert particles.lower(motion) == ["REM"]
