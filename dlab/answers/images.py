"""Images: every distance that makes sense there on the same samples, how near they are to the data, and grids of them as they form."""

import base64
import math
import zlib
from dataclasses import replace

import jax
import numpy as np

from dlab import measure, noise, schemes
from dlab.answers.base import Answer
from dlab.measure import frechet
from dlab.sample import diverged, simulate, starts
from dlab.study import memory
from dlab.study.run import gathered
from dlab.study.spec import Study
from dlab.targets.images import Images

DISTANCES = ("frechet", "frechet-diagonal", "sliced")
NEAR = 1.5  # a sample is called a copy of an image nearer than this many w sqrt(d), the distance of p_0's own samples to theirs
COMPARED = 1024  # held-out images looked at
FRAMES = 11  # of a grid's movie
MOST = 36  # images of a grid
REFUSED = 4.0  # h lambda beyond which an image of SO is not drawn: its step has let distances grow by e^4
COMPILING = 14_000_000  # what compiling costs, in particle-steps
LEVELS = 15  # grey levels above black of what is drawn: half a byte a pixel
FINEST, FINE = "REM", 160  # what images are compared with: this scheme, with so many steps in a unit of time


def distances(study: Study, tick=lambda done: None) -> dict:
    """Schemes of the study at all of its step sizes, {"rows", "near", "others"}:

    rows    {"scheme", "h", "steps", "score_evals", "products", "pieces", "method", "w2", "stderr", "floor", "flags"}, the same numbers as
            of the study with "estimator" set to the method
    near    {"scheme", "h", "distance", "low", "high", "copies", "stderr", "growth", "beyond", "missed", "diverged", "products"}: median
            and quartiles of the distance to the nearest image in units of w sqrt(d), the share of copies (NEAR), SO's tally
    others  the same distances of held-out images and of fresh samples of p_0, {"held out", "data"}
    """
    target = study.built
    asked = replace(study, estimator="frechet", accuracy=None, budget=None, reach=None)
    trained = 0.0 if asked.error.ready else 0.3
    asked, rows, near = asked.prepared(lambda done: tick(trained * done)), [], []
    keys, batches = gathered(asked, lambda done: tick(trained + (0.9 - trained) * done))
    for number, (name, steps) in enumerate(keys):
        case, pairs, tally = asked.case(name, steps), batches.pairs((name, steps)), batches.tally((name, steps))
        scheme, lost = case.scheme, int(diverged(pairs.x, target.facts).sum())
        cost = {
            "scheme": name, "h": study.grid(steps).step, "steps": steps,
            "score_evals": round(tally["pieces"]) if tally else steps * scheme.score_evals,
            "products": tally["products"] if tally else 0.0, "pieces": tally["pieces"] if tally else float(steps),
        }  # fmt: skip
        for way in (() if lost else DISTANCES):
            found = measure.REGISTRY[way].estimate(case, pairs)
            rows.append({
                **cost, "method": way, "w2": found.value, "stderr": found.stderr, "floor": found.floor, "flags": list(found.flags),
            })  # fmt: skip
        told = {k: tally[k] if tally else None for k in ("growth", "beyond", "missed")}
        near.append({**cost, **told, "diverged": lost, **({} if lost else _near(target, pairs.x))})
        tick(0.9 + 0.1 * (number + 1) / len(keys))
    key = noise.stream(jax.random.key(study.seed), "held out")
    others = {"data": _near(target, np.asarray(target.sample(key, COMPARED)))}
    if len(target.others):
        kept = target.others[:COMPARED]
        others["held out"] = _near(target, kept + target.width * np.asarray(jax.random.normal(key, kept.shape)))
    return {
        "study": study.to_json(), "rows": rows, "near": near, "others": others, "dim": target.dim, "images": len(target.images),
        "width": target.width,
    }  # fmt: skip


def _near(target: Images, x) -> dict:
    """Distance of samples (n, d) to the nearest image, in units of w sqrt(d), and the share nearer than NEAR."""
    squares = np.sum(x**2, 1)[:, None] - 2 * x @ target.images.T + np.sum(target.images**2, 1)
    ratio = np.sqrt(np.maximum(squares.min(1), 0.0)) / (target.width * target.dim**0.5)
    low, middle, high = np.quantile(ratio, [0.25, 0.5, 0.75])
    share = float(np.mean(ratio < NEAR))
    return {
        "distance": float(middle), "low": float(low), "high": float(high), "copies": share,
        "stderr": float(np.sqrt(share * (1 - share) / len(x))),
    }  # fmt: skip


def grid_work(study: Study, steps: int, count: int) -> int:
    """What `grid` costs, the training of a network and compiling included, in particle-steps."""
    effort = sum(study.built.effort(schemes.REGISTRY[name]) + study.error.cost - 1 for name in study.schemes)
    return COMPILING + round(count * steps * effort) + study.error.price


def grid(study: Study, steps: int, count: int, tick=lambda done: None) -> dict:
    """A few samples of each scheme as they form, all from the same start and the same noise:

    {"side", "count", "times" (F,), "frames": {scheme: grey levels 0..LEVELS of (F, count, side, side), packed two in a byte, zlib,
    base64}, "refused": {scheme: for each image the frame from which it is not drawn, or -1}, "spent": {scheme: {"products", "pieces",
    "growth" (N,): the largest h lambda of a step}}, "nearest": the data's images next to the last scheme's last frame, packed}.
    """
    target = study.built
    key = noise.stream(jax.random.key(study.seed), "grid")
    begin, _ = starts(target, noise.stream(key, "start"), count, study.T, study.start)
    shown = np.unique(np.linspace(0, steps, min(FRAMES, steps + 1)).round().astype(int))
    error, frames, refused, spent = study.prepared(lambda done: tick(0.5 * done)).error, {}, {}, {}
    for number, name in enumerate(study.schemes, 1):
        found = simulate(
            study.scheme(name, steps), target.fast_field, error, begin, grid=study.grid(steps), key=key, record=True, limit=study.growth,
        )  # fmt: skip
        bad = ~np.isfinite(found.states).all(-1) | (np.abs(found.states).max(-1) > 1e3)
        if found.spent is not None:
            bad[1:] |= np.asarray(found.spent.growth) > REFUSED
            spent[name] = {
                "products": found.spent.products.tolist(), "pieces": found.spent.pieces.tolist(),
                "growth": found.spent.growth.max(1).tolist(),
            }  # fmt: skip
        # Once refused, an image stays so: what follows starts from nowhere.
        bad = np.logical_or.accumulate(bad, axis=0)[shown]
        refused[name] = [int(np.argmax(b)) if b.any() else -1 for b in bad.T]
        frames[name] = _packed(np.where(bad[..., None], 0.0, found.states[shown]))
        tick(0.5 + 0.5 * number / len(study.schemes))
    squares = np.sum(target.images**2, 1) - 2 * np.nan_to_num(found.x) @ target.images.T
    return {
        "study": study.to_json(), "side": target.side, "count": count, "h": study.grid(steps).step,
        "times": study.grid(steps).times[shown].tolist(),
        "frames": frames, "refused": refused, "spent": spent, "nearest": _packed(target.images[np.argmin(squares, 1)][None]),
    }  # fmt: skip


def differences(study: Study, steps: int, count: int, tick=lambda done: None) -> dict:
    """What each scheme makes of a start and a Brownian path, and what FINEST comes to with FINE steps in a unit of time on the same path:

    {"side", "count", "h", "finest": its step, "images": packed as in `grid`, "frames": {scheme: packed}, "refused": {scheme: for each
    image 0 where it is not drawn, else -1}, "rms": {scheme: root mean square over the pixels of the drawn images, or None}}.
    """
    target, key = study.built, noise.stream(jax.random.key(study.seed), "differences")
    begin, _ = starts(target, noise.stream(key, "start"), count, study.T, study.start)
    parts = math.ceil(FINE * study.grid(steps).step)
    fine = study.grid(steps * parts)
    # SO takes products in the precision of what it is given.
    path = noise.path(noise.stream(key, "path"), -np.diff(fine.times), count, target.dim).astype(begin.dtype)
    error, whole = study.prepared(lambda done: tick(0.5 * done)).error, 1 + len(study.schemes)

    def run(name, part):
        return simulate(
            study.scheme(name, steps * parts // part), target.fast_field, error, begin, grid=study.grid(steps * parts // part),
            key=noise.stream(key, name), path=noise.merge(path, part),
        )  # fmt: skip

    exact = run(FINEST, 1).x
    tick(0.5 + 0.5 / whole)
    frames, refused, rms = {}, {}, {}
    for number, name in enumerate(study.schemes, 2):
        found = run(name, parts)
        bad = ~np.isfinite(found.x).all(-1) | (np.abs(found.x).max(-1) > 1e3)
        if found.spent is not None:
            bad |= np.asarray(found.spent.growth).max(0) > REFUSED
        off = (found.x - exact)[~bad]
        frames[name], refused[name] = _packed(np.where(bad[:, None], 0.0, found.x)), [0 if b else -1 for b in bad]
        rms[name] = float(np.sqrt(np.mean(off**2))) if len(off) else None
        tick(0.5 + 0.5 * number / whole)
    return {
        "study": study.to_json(), "side": target.side, "count": count, "h": study.grid(steps).step, "finest": fine.step,
        "images": _packed(exact), "frames": frames, "refused": refused, "rms": rms,
    }  # fmt: skip


def differences_work(study: Study, steps: int, count: int) -> int:
    """As `grid_work`."""
    fine = steps * math.ceil(FINE * study.grid(steps).step) * study.built.effort(schemes.REGISTRY[FINEST])
    return grid_work(study, steps, count) + COMPILING + round(count * fine)  # SO along a path is another program


def _packed(values) -> str:
    """Pixels in [-1, 1] as grey levels, two in a byte."""
    grey = np.clip(np.round((np.nan_to_num(values) + 1) / 2 * LEVELS), 0, LEVELS).astype(np.uint8).ravel()
    grey = np.append(grey, 0) if len(grey) % 2 else grey
    return base64.b64encode(zlib.compress((grey[::2] << 4 | grey[1::2]).tobytes(), 9)).decode()


def unpacked(text: str, shape) -> np.ndarray:
    """Grey levels 0..LEVELS from `_packed`, in a shape."""
    packed = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    return np.stack([packed >> 4, packed & 15], -1).ravel()[: np.prod(shape)].reshape(shape)


def lesson(low: float = 0.1, high: float = 1.0) -> list[dict]:
    """Two Gaussians of the plane with variances low and high, turned by +angle and -angle: what the Fréchet distances with full and
    with diagonal covariance read, exactly, {"angle", "full", "diagonal"}."""
    angles = range(0, 91, 5)
    return [{"angle": a, **dict(zip(("full", "diagonal"), frechet.rotated(low, high, a)))} for a in angles]


def applies(study: Study, *which) -> str | None:
    if isinstance(study.built, Images):
        return None
    return "grids of images and their distances are of the target 'images'; give such a study."


ANSWERS = (
    Answer(
        "image_distances", "Distances between generated images and the data", distances,
        ("target", "schemes", "h", "T", "start", "score_error", "particles", "growth", "seed"),
        lambda study: COMPILING + study.price, applies, lambda study: study.memory, "images",
        uses=tuple(measure.REGISTRY[name] for name in DISTANCES),
    ),
    Answer(
        "image_grid", "A few images of each scheme as they form", grid,
        ("target", "schemes", "T", "start", "score_error", "growth", "seed"), grid_work, applies,
        lambda study, steps, count: memory.simulated(study, study.schemes, count) + 16 * steps * count * study.built.dim, "grid",
    ),
    Answer(
        "image_differences", "A few images of each scheme beside those of the finest run", differences,
        ("target", "schemes", "T", "start", "score_error", "seed"), differences_work, applies,
        lambda study, steps, count: (
            memory.simulated(study, [*study.schemes, FINEST], count) + 12 * (FINE * math.ceil(study.T) + steps) * count * study.built.dim
        ),
    ),
)  # fmt: skip
