"""Films show what the player does: its clock, its numbers, its colours; and say what they lack."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from dlab import export
from dlab.export import film
from dlab.figures import film as pictures
from dlab.figures.movie import Movie, Panel, decode, encode, packet

RNG = np.random.default_rng(0)


def movie(frames=7, panels=2, still=False):
    """A cloud a panel on a Gaussian; one particle diverges, one leaves, or nothing moves at all."""
    x = np.linspace(-3, 3, 16)
    where = RNG.normal(size=(frames, 40, 2))
    where[1:, 0], where[:, 1] = np.nan, 9.0
    if still:
        where[:] = where[0]
    distance = np.geomspace(1, 0.01, frames)
    distance[0] = np.nan
    return encode(Movie(
        panels=tuple(Panel(f"cloud {i}", "#0072B2", "#56B4E9", where, distance, "W₂ so far") for i in range(panels)),
        times=np.full(frames, 1.0) if still else np.linspace(2, 0, frames), steps=np.arange(frames) * (not still),
        acts=(("Noising", 0), ("Sampling", 3)), box=(-3, 3, -3, 3), density_times=np.array([0.0, 1.0, 2.0]),
        density=np.array([-(x[:, None] ** 2 + x**2) / (1 + k) for k in range(3)]),
    ))  # fmt: skip


def test_decode_gives_back_what_was_encoded():
    given = movie()
    got = decode(given)
    where = got["panels"][0]["positions"]
    assert where.shape == (7, 40, 2)
    assert np.isnan(where[1:, 0]).all()
    assert np.allclose(where[0, 1], 9.0, atol=1e-3)
    assert np.allclose(got["density"]["drop"][0].min(), 0)
    assert "arrows" not in got
    with pytest.raises(ValueError, match="DLM2"):
        decode(b"GIF89a..")


@pytest.mark.parametrize("panels", [1, 2, 3])
def test_pictures(panels):
    data = movie(panels=panels)
    seconds = decode(data)["clock"][-1]
    shown = list(pictures.frames(data, fps=2, scale=0.5))
    assert len(shown) == round(2 * seconds) + 1
    for picture in shown:
        assert picture.shape == (540, 960, 3)
        assert picture.dtype == np.uint8
    own = (np.abs(shown[3].astype(int) - (0x00, 0x72, 0xB2)).max(axis=2) < 60).sum()
    assert own > 40 * panels
    assert (shown[3] != shown[4]).any()


def test_particles_glide_on_the_clock_of_the_player():
    film = pictures._Film(decode(movie()), 0.5)
    clock = film.movie["clock"]
    k, after, f, t = film.at(clock[4] + 0.25 * (clock[5] - clock[4]))
    assert (k, after) == (4, 5)
    assert f == pytest.approx(0.25**2 * (3 - 2 * 0.25), abs=1e-4)  # slow at its ends, since a step is long here
    times = film.movie["times"]
    assert t == pytest.approx(times[4] + 0.25 * (times[5] - times[4]), abs=1e-4)
    assert film.at(clock[2] + 0.9 * (clock[3] - clock[2]))[:3] == (2, 3, 0.0), "nothing glides into another act"
    assert film.at(clock[-1] + 9)[:3] == (6, 6, 0.0)


def test_number_and_dot_are_of_the_same_frame():
    """Of the last one that was measured; below the axis the number says below what."""
    data = decode(movie())
    data["panels"][0]["measured"] = [0, 1, 1, 1, 0, 1, 1]
    chart = pictures._Film(data, 0.5).chart
    assert chart.known[0] == [-1, 1, 2, 3, 3, 5, 6]
    for m in chart.known[0]:
        if m >= 0:
            value = data["panels"][0]["distance"][m]
            _, y0, _, y1 = chart.span
            up = (chart.place[0][m][1] - y0) / (y1 - y0)
            assert chart.low * (chart.high / chart.low) ** up == pytest.approx(value, rel=1e-6)
            assert chart.said(value).startswith("W₂ = ")
    assert chart.said(chart.low / 2) == f"W₂ < {pictures.number(chart.low)}"


def test_a_particle_stands_where_it_is():
    box, side = (-1.0, 1.0, -1.0, 1.0), 100
    positions = np.array([[0.5, 0.25], [np.nan, np.nan], [30.0, 0.0]])
    picture = pictures._dots(np.full((side, side), 255.0), positions, "#000000", box, pictures._discs(1, 0.6))
    dark = 255.0 - picture[..., 0]
    y, x = np.indices(dark.shape) + 0.5
    assert (dark * x).sum() / dark.sum() == pytest.approx(75, abs=0.15)
    assert (dark * y).sum() / dark.sum() == pytest.approx(37.5, abs=0.15)


@pytest.mark.parametrize("still", [False, True])
def test_a_gif_lasts_as_long_as_the_player(still):
    data = movie(still=still)
    gif = Image.open(io.BytesIO(export.film_bytes(data, "gif")))
    assert gif.size == (960, 540)
    assert gif.n_frames == round(film.GIF_FPS * decode(data)["clock"][-1]) + 1
    assert gif.info["loop"] == 0
    assert gif.convert("RGB").getpixel((1, 1)) == (255, 255, 255)
    assert gif.info["duration"] == 1000 / film.GIF_FPS


@pytest.mark.filterwarnings("ignore:os.fork")  # imageio-ffmpeg's reader forks
@pytest.mark.skipif(export.missing("mp4") is not None, reason="no ffmpeg")
@pytest.mark.parametrize("still", [False, True])
def test_an_mp4_has_1080_lines_and_thirty_pictures_a_second(still, tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    path, data = tmp_path / "film.mp4", movie(still=still)
    path.write_bytes(export.film_bytes(data, "mp4"))
    about, *decoded = ffmpeg.read_frames(str(path))
    seconds = decode(data)["clock"][-1]
    assert about["size"] == (1920, 1080)
    assert about["fps"] == 30
    assert about["duration"] == pytest.approx(seconds, abs=0.1)
    assert len(decoded) == round(30 * seconds) + 1
    assert about["pix_fmt"].startswith("yuv420p")
    drawn = next(p for j, p in enumerate(pictures.frames(data)) if j == 100 % len(decoded))
    back = np.frombuffer(decoded[100 % len(decoded)], np.uint8).reshape(drawn.shape).astype(int)
    assert np.abs(back - drawn).mean() < 3
    if not still:
        assert path.read_bytes() == export.film_bytes(data, "mp4")


def test_without_ffmpeg_the_others_remain(monkeypatch):
    monkeypatch.setattr(film, "_ffmpeg", lambda: None)
    assert "imageio-ffmpeg" in export.missing("mp4")
    assert export.missing("gif") is export.missing("html") is None
    with pytest.raises(RuntimeError, match="needs ffmpeg"):
        export.film_bytes(movie(), "mp4")
    with pytest.raises(ValueError, match="mp4, gif, html"):
        export.film_bytes(movie(), "avi")


def test_an_encoder_that_fails_is_said(monkeypatch):
    monkeypatch.setattr(film, "_ffmpeg", lambda: "/bin/false")
    with pytest.raises(RuntimeError, match="made no film"):
        export.film_bytes(movie(), "mp4")


def test_the_page_holds_the_movie_and_asks_for_nothing():
    data = movie()
    page = export.film_bytes(data, "html", title="<b>EM</b>", caption='</script><img src="http://e.example/x.png">').decode()
    held = base64.b64decode(re.search(r'id="movie">([^<]*)<', page)[1])
    assert held.startswith(b"DLP1")
    assert held.endswith(data)
    assert "<b>EM" not in page
    assert "<img" not in page
    assert set(re.findall(r"https?://[^\s\"'<)&]+", page)) <= {"http://www.w3.org/2000/svg", "http://e.example/x.png"}
    assert not re.search(r"<(script|link|img|iframe)[^>]*(src|href)=|@import|url\(|fetch\(|XMLHttpRequest|WebSocket", page)
    assert "default-src 'none'" in page


def test_packet_is_aligned():
    head = packet(b"DLM1", height=300, alt="ü")
    assert head[:4] == b"DLP1"
    assert (len(head) - 4) % 4 == 0
