"""SO by Hessian-vector products at d = 784: products a step, memory over EM, seconds.

    python tests/benchmarks/bench_images.py [--quick]

The images are made here, 28 × 28 strokes with noise, since MNIST's files cannot be fetched from a machine without a network; with them
in $DLAB_DATA/mnist, --data mnist takes them. Seconds are of a machine that others may use too: its load is printed.
"""

import bench
import jax
import numpy as np
from cases import memory

from dlab import errors, schemes, targets
from dlab.grid import uniform
from dlab.sample import simulate, starts
from dlab.targets.images import Images

SIDE, COUNT, SAMPLES, T = 28, 1000, 256, 2.0


def strokes(count: int, seed: int = 0) -> np.ndarray:
    """Images (count, SIDE^2) in [-1, 1]: two or three soft strokes each, as of handwriting, black elsewhere."""
    rng = np.random.default_rng(seed)
    at = np.stack(np.meshgrid(*[np.linspace(-1, 1, SIDE)] * 2), -1)
    found = np.zeros((count, SIDE, SIDE))
    for image in found:
        for _ in range(rng.integers(2, 4)):
            start, end = rng.uniform(-0.7, 0.7, (2, 2))
            along = np.clip(((at - start) @ (end - start)) / max(np.sum((end - start) ** 2), 1e-3), 0, 1)
            gap = np.sum((at - start - along[..., None] * (end - start)) ** 2, -1)
            np.maximum(image, np.exp(-gap / (2 * 0.07**2)), out=image)
    return 2 * found.reshape(count, -1) - 1


def main() -> None:
    parser = bench.parser(__doc__, "100 images and 64 samples, h = 0.2 alone, no SO with cut steps")
    parser.add_argument("--data", help="mnist, or a folder of images, in the place of the strokes")
    chosen = parser.parse_args()
    count, samples = (100, 64) if chosen.quick else (COUNT, SAMPLES)
    if chosen.data:
        target = targets.build({"name": "images", "data": chosen.data, "count": count, "width": 0.2})
    else:
        target = Images(strokes(count), np.zeros((0, SIDE**2)), 0.2)
    key = jax.random.key(1)
    begin, _ = starts(target, key, samples, T, "paper")
    batch = begin.nbytes
    print(f"d = {target.dim}, K = {len(target.images)}, {samples} samples, a batch is {batch / 1e6:.2f} MB, {bench.load()}")
    em, *more = (memory(name, target, begin, limit) for name, limit in (("EM", None), ("SO", None), ("SO", 2.0)))
    print(f"EM: {em / 1e6:.1f} MB of temporaries, {em / batch:.1f} batches")
    for name, size in zip(("SO", "SO with cut steps"), more):
        print(f"{name}: {size / 1e6:.1f} MB of temporaries, {(size - em) / batch:.1f} batches more than EM")
    for steps in (10,) if chosen.quick else (10, 20, 40):
        elapsed = {}
        for name, limit in (("EM", None), ("SO", None), *([] if chosen.quick else [("SO", 2.0)])):
            arguments = {"grid": uniform(T, steps), "key": key, "limit": limit}
            scheme = schemes.REGISTRY[name]

            def simulated(_, scheme=scheme, arguments=arguments):
                return simulate(scheme, target.field, errors.NONE, begin, **arguments)

            run = simulated(0)
            elapsed[name, limit] = bench.seconds(simulated)
            line = f"h = {T / steps:g}: {name}{f' cut at {limit:g}' if limit else ''} {elapsed[name, limit]:.1f} s"
            if run.spent is not None:
                growth = run.spent.growth.max(1)
                calm = growth <= 2
                line += (
                    f", {run.spent.products.mean():.1f} products a step ({run.spent.products[calm].mean():.1f} over the {calm.sum()} steps "
                    f"with h λ <= 2), {run.spent.pieces.sum():.0f} pieces, largest h λ {growth.max():.1f}, error {run.spent.missed:.1e}"
                )
            print(line, flush=True)
        bench.ratio(f"h = {T / steps:g}: seconds of SO over EM", elapsed["SO", None], elapsed["EM", None])


if __name__ == "__main__":
    main()
