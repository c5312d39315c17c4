"""The smoothed image set: its exact score, its files, and what is measured on it."""

import gzip
import struct

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import memory
from PIL import Image

from dlab import answers, measure, pictures, schemes, targets
from dlab.answers import images
from dlab.figures.images import near_chart, sentence
from dlab.grid import uniform
from dlab.measure import Pairs, frechet
from dlab.params import BadInput
from dlab.study import Study, run
from dlab.targets.images import BLOCK, Images, ImagesField

SPEC = {"name": "images", "data": "digits", "count": 40, "width": 0.3}


@pytest.fixture(scope="module")
def digits():
    return targets.build(SPEC)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """An empty folder of data files."""
    monkeypatch.setenv("DLAB_DATA", str(tmp_path))
    for kept in (pictures._mnist, pictures._folder):
        kept.cache_clear()
    return tmp_path


def test_it_is_the_mixture_of_its_images(key):
    """Against the mixture target, whose formulas know nothing of images, with a time for each particle too."""
    means = np.random.default_rng(0).uniform(-1, 1, (5, 4))
    ours = Images(means, means[:0], 0.4)
    other = targets.build({"name": "mixture", "weights": [0.2] * 5, "means": means.tolist(), "var": 0.16})
    x = other.sample(key, 20)
    np.testing.assert_allclose(*(np.diff(target.field.log_density(0.3, x)) for target in (ours, other)), rtol=1e-9, atol=1e-9)
    for t in (0.3, jnp.linspace(0.01, 1, 20)[:, None]):
        np.testing.assert_allclose(ours.field.score(t, x), other.field.score(t, x), rtol=1e-9)
        v = jnp.ones_like(x)
        np.testing.assert_allclose(
            ours.field.products(t, x)[1](v), jnp.einsum("nij,nj->ni", other.field.hessian(t, x), v), rtol=1e-9, atol=1e-9
        )
    np.testing.assert_allclose(ours.facts.cov, other.facts.cov, rtol=1e-12)
    assert ours.facts.m0.value <= other.facts.m0.value


def test_many_images_are_looked_at_in_blocks(digits, key):
    """The same answers however the images are cut, the last block filled up."""
    flat = jnp.asarray(digits.images)
    cut = jnp.concatenate([flat, jnp.zeros((8, 64))]).reshape(3, 16, 64)
    log = jnp.where(jnp.arange(48) < 40, -jnp.log(40.0), -jnp.inf).reshape(3, 16)
    blocks = ImagesField(cut, log, jnp.asarray(0.3))
    x, v = digits.sample(key, 5), jax.random.normal(key, (5, 64))
    for t in (0.2, 1.5):
        np.testing.assert_allclose(blocks.log_density(t, x), digits.field.log_density(t, x), rtol=1e-12)
        for a, b in zip(blocks.products(t, x), digits.field.products(t, x)):
            np.testing.assert_allclose(*((f(v) if callable(f) else f) for f in (a, b)), rtol=1e-9, atol=1e-9)
    assert len(Images(np.zeros((BLOCK + 1, 4)), np.zeros((0, 4)), 0.1).field.images) == 2


def test_digits_are_scaled_and_chosen_by_label():
    drawn, labels = pictures.load("digits")
    assert drawn.shape == (1797, 8, 8)
    assert (drawn.min(), drawn.max()) == (-1, 1)
    threes = targets.build({**SPEC, "labels": [3], "count": 20})
    chosen = {tuple(x) for x in drawn[labels == 3].reshape(-1, 64)}
    assert all(tuple(x) in chosen for x in threes.images)
    assert len(threes.images) == 20
    assert len(threes.others) == np.sum(labels == 3) - 20


def idx(array, head=8):
    array = np.asarray(array, np.uint8)
    return struct.pack(f">HBB{array.ndim}I", 0, head, array.ndim, *array.shape) + array.tobytes()


def mnist(files, images, labels, packed=True):
    (files / "mnist").mkdir(exist_ok=True)
    for name, array in zip(pictures.MNIST, (images, labels)):
        data = idx(array)
        (files / "mnist" / (name + ".gz" * packed)).write_bytes(gzip.compress(data) if packed else data)


@pytest.mark.parametrize("packed", [True, False])
def test_mnists_own_files_are_read(files, packed):
    grey = np.random.default_rng(0).integers(0, 256, (12, 28, 28))
    mnist(files, grey, np.arange(12) % 10, packed)
    target = targets.build({"name": "images", "data": "mnist", "count": 10, "width": 0.2})
    assert target.dim == 784
    assert target.side == 28
    every = {tuple(x) for x in (grey / 127.5 - 1).reshape(12, -1)}
    assert all(tuple(x) in every for x in target.images)
    assert "mnist" in pictures.choices()


def test_missing_files_are_named_with_where_they_come_from_and_go(files):
    with pytest.raises(BadInput) as told:
        targets.build({"name": "images", "data": "mnist", "width": 0.21})
    for part in ("train-images-idx3-ubyte.gz", "https://", str(files / "mnist"), "DLAB_DATA", "digits"):
        assert part in str(told.value), part
    assert pictures.choices() == ["digits"]


@pytest.mark.parametrize("damage, said", [
    (lambda d: d[: len(d) // 2], "cannot be read"),
    (lambda d: gzip.compress(b"<html>not found</html>"), "not an IDX file"),
    (lambda d: gzip.compress(gzip.decompress(d)[:-5]), "holds"),
    (lambda d: gzip.compress(idx(np.zeros((3, 20, 28)))), "20×28"),
])  # fmt: skip
def test_damaged_files_are_named(files, damage, said):
    mnist(files, np.zeros((3, 28, 28)), [0, 1, 2])
    path = files / "mnist" / f"{pictures.MNIST[0]}.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BadInput, match=said):
        pictures.load("mnist")


def test_a_server_reads_no_folder_by_its_path(files, monkeypatch):
    (files / "faces").mkdir()
    for i in range(2):
        Image.new("L", (6, 6)).save(files / "faces" / f"{i}.png")
    monkeypatch.setattr(pictures, "served", True)
    assert pictures.load("faces")[0].shape == (2, 6, 6)
    for path in (str(files / "faces"), "../faces", "/etc", "faces/..", "nowhere"):
        with pytest.raises(BadInput, match="not among the data of this server; give one of digits, faces"):
            pictures.load(path)


def test_a_folder_of_grey_images_is_read(files):
    (files / "faces").mkdir()
    grey = np.random.default_rng(1).integers(0, 256, (3, 6, 6)).astype(np.uint8)
    for i, image in enumerate(grey):
        Image.fromarray(image).save(files / "faces" / f"{i}.png")
    drawn, labels = pictures.load("faces")
    np.testing.assert_allclose(drawn, grey / 127.5 - 1, atol=1e-12)
    assert labels is None
    assert pictures.choices() == ["digits", "faces"]
    with pytest.raises(BadInput, match="no labels"):
        targets.build({"name": "images", "data": "faces", "labels": [1]})


@pytest.mark.parametrize("side, taken", [(9, True), (32, True), (33, False)])
def test_a_network_learns_images_of_up_to_32_pixels_a_side(files, side, taken):
    (files / "faces").mkdir()
    for i in range(3):
        Image.new("L", (side, side), 60 * i).save(files / "faces" / f"{i}.png")
    target = {"name": "images", "data": "faces", "count": 3, "width": side / 100}  # another one each time: targets are kept
    learned = {"target": target, "schemes": ["SO"], "h": [0.5], "T": 1.0, "score_error": {"name": "learned"}, "particles": 16}
    if taken:
        assert not Study.from_json(learned).error.ready
    else:
        with pytest.raises(BadInput, match=f"up to 1024 dimensions and the target has {side**2}"):
            Study.from_json(learned)


@pytest.mark.parametrize("image, said", [
    (Image.new("RGB", (6, 6), "red"), "not grey"), (Image.new("L", (6, 7)), "square"), (Image.new("L", (8, 8)), "one size"),
    (None, "cannot be read"),
])  # fmt: skip
def test_a_folder_with_something_else_in_it_is_named(files, image, said):
    (files / "mixed").mkdir()
    for i in range(2):
        Image.new("L", (6, 6)).save(files / "mixed" / f"{i}.png")
    if image:
        image.save(files / "mixed" / "z.png")
    else:
        (files / "mixed" / "z.png").write_bytes(b"no image")
    with pytest.raises(BadInput, match=said):
        pictures.load("mixed")


# Distances.


def test_turning_by_opposite_angles_is_seen_by_the_full_covariance_alone():
    for angle in range(0, 91, 15):
        full, diagonal = frechet.rotated(0.1, 1.0, angle)
        # Bures of two matrices of the plane with eigenvalues a, b at angle 2 phi: tr S1 + tr S2 - 2 tr root, in closed form.
        a, b, c = 1.0, 0.1, np.cos(np.radians(2 * angle)) ** 2
        trace = np.sqrt(c * (a**2 + b**2) + 2 * (1 - c) * a * b + 2 * a * b)
        assert full == pytest.approx(np.sqrt(2 * (a + b) - 2 * trace), abs=1e-7)
        assert diagonal == pytest.approx(0, abs=1e-7)
    assert frechet.rotated(0.1, 1.0, 45)[0] == pytest.approx(np.sqrt(2) * (1 - np.sqrt(0.1)), rel=1e-9)


def test_frechet_distances_of_a_moved_cloud(key):
    target = targets.build({"name": "spectrum", "values": [1.0, 0.5, 0.25]})
    case = Study.from_json({"target": {"name": "spectrum", "values": [1.0, 0.5, 0.25]}}).case("EM", 4)
    shift = np.array([1.0, 0, 0])
    x = np.asarray(target.sample(key, 8000)) + shift
    for name in ("frechet", "frechet-diagonal"):
        found = measure.REGISTRY[name].estimate(case, Pairs(x, x))
        assert abs(found.value - 1) < 4 * found.stderr
        assert 0 < found.stderr < 0.02
        assert found.floor < 0.05
        assert not found.flags
    still = measure.REGISTRY["frechet"].estimate(case, Pairs(x - shift, x))
    assert still.flags


STUDY = {
    "target": {**SPEC, "count": 20}, "schemes": ["EM", "REM", "SO"], "h": [0.5], "T": 1.0, "start": "paper", "particles": 64,
    "estimator": "frechet", "growth": 2.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def answer():
    return images.distances(Study.from_json(STUDY))


def test_the_maker_gives_the_rows_of_the_study(answer):
    rows = {r["scheme"]: r for r in answer["rows"] if r["method"] == "frechet"}
    for row in run(Study.from_json(STUDY)).to_json()["rows"]:
        assert row["w2"] == rows[row["scheme"]]["w2"]
        assert row["stderr"] == rows[row["scheme"]]["stderr"]
        assert row["score_evals"] == rows[row["scheme"]]["score_evals"] >= {"EM": 2, "REM": 4, "SO": 3}[row["scheme"]]
        assert (row["hessian_evals"] > 0) == (row["scheme"] == "SO")
        assert ("spent" in row) == (row["scheme"] == "SO")
        assert row["lower"] is None


def test_products_that_ended_before_their_tolerance_are_told(answer):
    said = sentence(answer, "frechet")
    assert "short of their tolerance" not in said
    near = [{**r, "missed": 0.02} if r["scheme"] == "SO" else r for r in answer["near"]]
    assert "h = 0.5 (0.0200)" in sentence({**answer, "near": near}, "frechet")


def test_the_nearest_image_against_what_was_spent(answer):
    chart = near_chart(answer, "evals")
    spent = {r["scheme"]: r["score_evals"] + r["products"] for r in answer["near"]}
    assert {s.name: s.x for s in chart.series if s.name in spent} == {name: (value,) for name, value in spent.items()}
    assert "evaluations" in chart.x.title or "scores" in chart.x.title


def test_nearest_images_tell_copies_from_what_was_kept_out(answer):
    data, kept = answer["others"]["data"], answer["others"]["held out"]
    assert data["copies"] > 0.99
    assert kept["copies"] < 0.5
    assert abs(data["distance"] - 1) < 0.1  # chi in 64 dimensions
    assert kept["distance"] > data["distance"]


def test_what_needs_a_reference_is_refused_with_a_way_on():
    with pytest.raises(BadInput, match="frechet"):
        Study.from_json({**STUDY, "estimator": "coupled"})
    assert Study.from_json({**STUDY, "estimator": "auto"}).estimator_for("EM").name == "frechet"
    with pytest.raises(BadInput, match="growth"):
        Study.from_json({"target": {"name": "gaussian", "mean": [0, 0], "cov": [[1, 0], [0, 1]]}, "growth": 2})
    with pytest.raises(BadInput, match="growth"):
        Study.from_json({**STUDY, "growth": -1})
    with pytest.raises(BadInput, match="images"):
        answers.find("grid").check(Study.from_json({"target": {"name": "gaussian", "mean": [0, 0], "cov": [[1, 0], [0, 1]]}}), 4, 4)


def test_cut_steps_hold_the_growth_and_grids_cross_out_what_grew_without():
    """Clustered data at a coarse step: the same images, with steps as asked and with steps cut."""
    study = {**STUDY, "target": {**SPEC, "count": 300, "width": 0.1}, "T": 2.0, "schemes": ["EM", "SO"]}
    free, cut = (images.grid(Study.from_json({**study, **g}), 4, 16) for g in ({"growth": None}, {"growth": 1.0}))
    assert max(free["spent"]["SO"]["growth"]) > images.REFUSED
    assert any(at >= 0 for at in free["refused"]["SO"])
    assert max(cut["spent"]["SO"]["growth"]) < 1.1
    assert sum(cut["spent"]["SO"]["pieces"]) > 4
    assert set(cut["refused"]["SO"]) == {-1}
    assert free["frames"]["EM"] == cut["frames"]["EM"]
    grey = images.unpacked(cut["frames"]["SO"], (len(cut["times"]), 16, 8, 8))
    assert grey.min() == 0
    assert grey.max() == images.LEVELS
    first = [images.unpacked(cut["frames"][s], (len(cut["times"]), 16, 8, 8))[0] for s in ("EM", "SO")]
    np.testing.assert_array_equal(*first)
    np.testing.assert_allclose([cut["times"][0], cut["times"][-1]], [2.0, 0.0], atol=1e-12)


def test_differences_from_the_finest_run_fall_with_the_step():
    spec = {"name": "images", "count": 20, "width": 0.5}
    study = Study.from_json({"target": spec, "schemes": ["EM", "SO"], "T": 1.0, "h": [0.25], "particles": 64})
    coarse, fine = (images.differences(study, n, 24) for n in (4, 16))
    assert coarse["finest"] <= 1 / 160 >= fine["finest"]
    for name in ("EM", "SO"):
        assert fine["rms"][name] < 0.6 * coarse["rms"][name]
    assert fine["rms"]["SO"] < fine["rms"]["EM"]
    shape = (24, coarse["side"], coarse["side"])
    drawn, exact = (images.unpacked(fine[key] if key == "images" else fine[key]["EM"], shape) for key in ("frames", "images"))
    apart = np.sqrt(np.mean((2 * (drawn - exact.astype(float)) / images.LEVELS) ** 2))
    assert apart == pytest.approx(fine["rms"]["EM"], abs=0.08)  # what is drawn has 16 grey levels and no more than white
    assert fine["refused"]["EM"] == [-1] * 24


@pytest.mark.slow
def test_so_takes_less_than_twenty_batches_more_memory_than_em_at_784_pixels():
    """With its steps as asked and with steps cut: one basis of Lanczos and what a step has besides."""
    rng = np.random.default_rng(0)
    target, begin = Images(rng.uniform(-1, 1, (1000, 784)), np.zeros((0, 784)), 0.2), np.zeros((256, 784))
    em, so, cut = (memory(name, target, begin, limit) / begin.nbytes for name, limit in (("EM", None), ("SO", None), ("SO", 2.0)))
    assert 10 < so - em < 18
    assert 10 < cut - em < 20


def test_so_takes_at_most_eight_products_a_step_where_h_l_is_at_most_two(key):
    from dlab import errors
    from dlab.sample import simulate, starts

    target = targets.build({**SPEC, "count": 200})
    begin, _ = starts(target, key, 64, 2.0, "paper")
    spent = simulate(schemes.REGISTRY["SO"], target.field, errors.NONE, begin, grid=uniform(2.0, 40), key=key).spent
    calm = spent.growth.max(1) <= 2
    assert calm.mean() > 0.8
    assert spent.products[calm].mean() <= 8
    assert spent.missed <= 1e-4
