"""The movie's bytes hold what went in, to the precision they promise, and wrong movies are refused in words."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest

from dlab.figures.movie import DEPTH, GONE, MAGIC, MID, Movie, Panel, encode

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
    assert data[:4] == MAGIC
    (length,) = struct.unpack("<I", data[4:8])
    head, body = json.loads(data[8:8 + length]), data[8 + length:]
    assert length % 4 == 0
    frames = len(head["times"])

    def part(at, dtype, shape):
        assert at % 4 == 0
        return np.frombuffer(body, dtype, int(np.prod(shape)), at).reshape(shape)

    low, size = np.array(head["box"][::2]), np.diff(np.array(head["box"]).reshape(2, 2), axis=1)[:, 0]
    clouds = []
    for p in head["panels"]:
        codes = part(p["at"], "<u2", (frames, p["count"], 2))
        where = low + (codes.astype(float) - MID) / MID * size
        where[(codes == GONE).all(axis=2)] = np.nan
        clouds.append(where)
    d = head["density"]
    drop = part(d["at"], "<u2", (len(d["times"]), d["side"], d["side"])) * (d["depth"] / 65535)
    arrows = part(head["arrows"]["at"], "<f4", (len(d["times"]), head["arrows"]["count"], 4))
    return head, clouds, drop, arrows


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
])
def test_what_does_not_fit_is_said(make, words):
    with pytest.raises(ValueError, match=words) as caught:
        make()
    assert "expected" in str(caught.value)
    assert ";" in str(caught.value)
