"""The Images page without a browser: what it opens with, its sections, and what it says where data are missing."""

import base64
import json
import re

import pytest
from apptest import buttons, charts, opened, plain, silent, spec, visit
from PIL import Image

from dlab.ui import links, settings, studies


def test_it_opens_with_what_is_prepared():
    at = visit("images", {})
    assert charts(at) == 0
    opened(at, "distances-open", "near-open")
    assert not buttons(at, "Compute")
    assert charts(at) == 2
    said = plain(at)
    assert all(part in said for part in ("t\u00a0=\u00a00.400", "t\u00a0=\u00a00.200", "13 pieces"))
    (component,) = at.get("bidi_component")
    data = json.loads(component.proto.json)
    assert [p["name"] for p in data["panels"]] == ["EM", "EI", "REM", "REI", "SO", "Nearest data"]
    assert all(base64.b64decode(p["frames"]) for p in data["panels"])
    assert data["alt"]
    assert not silent(at)


def test_differences_from_the_finest_run_come_on_request():
    at = visit("images", {})
    assert len(at.get("bidi_component")) == 1
    at = opened(at, "differences-open")
    _, component = at.get("bidi_component")
    first, *others = json.loads(component.proto.json)["panels"]
    assert not first.get("minus")
    assert [p["name"] for p in others] == ["EM", "EI", "REM", "REI", "SO"]
    assert all(p["minus"] == first["frames"] != p["frames"] for p in others)


def test_its_sections_open_and_the_distance_is_chosen():
    at = opened(visit("images", {}), "distances-open", "near-open", "lesson-open", "steps-open", "measured-open", "theorem-open")
    assert charts(at) == 3
    said = plain(at)
    assert "0.967" in said
    before = spec(at)
    at.session_state["images-method"] = "frechet-diagonal"
    at.session_state["images-cost"] = "evals"
    at.run()
    assert spec(at) != before
    assert "Fréchet, diagonal at h" in plain(at)


def test_other_settings_say_what_they_cost_first():
    at = opened(visit("images", {"images.width": "0.3"}), "distances-open", "near-open")
    assert len(buttons(at, "Compute (about ")) == 3
    assert charts(at) == 0


def test_the_training_of_a_network_is_in_the_price_of_the_grid():
    pages = [opened(visit("images", {"images.width": "0.3", "images.score": score}), "distances-open") for score in ("exact", "network")]
    costs = [[float(cost[1]) for b in at.button if (cost := re.match(r"Compute \(about (\d+) s", b.label))] for at in pages]
    assert costs[1][0] > costs[0][0] + 10
    assert costs[1][1] > costs[0][1] + 10


def test_missing_data_are_said_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("DLAB_DATA", str(tmp_path))
    at = visit("images", {"images.data": "mnist"})
    assert "train-images-idx3-ubyte.gz" in plain(at)
    assert charts(at) == 0


def test_a_folder_with_few_images_is_taken_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("DLAB_DATA", str(tmp_path))
    (tmp_path / "faces").mkdir()
    for i in range(5):
        Image.new("L", (6, 6), 50 * i).save(tmp_path / "faces" / f"{i}.png")
    assert studies.images_study({**settings.defaults(), "images.data": "faces"}).target["count"] == 5


@pytest.mark.parametrize("key, text", [("images.count", "7"), ("images.step", "x"), ("images.growth", "9"), ("images.data", "../etc")])
def test_a_link_with_a_wrong_setting_is_read_as_the_default(key, text):
    values, notes = links.read({key: text})
    assert values[key] == settings.defaults()[key]
    assert key.split(".")[1] in " ".join(notes)


def test_the_study_of_the_page_follows_its_settings():
    values, _ = links.read({"images.growth": "off", "images.score": "network", "images.T": "1"})
    study = studies.images_study(values)
    assert study.growth is None
    assert study.score_error["name"] == "learned"
    assert study.T == 1
    assert study.target["count"] == 300
