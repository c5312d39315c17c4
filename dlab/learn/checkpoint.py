"""A training's state as the bytes of an NPZ file: a JSON head and the arrays of network and optimiser."""

import io
import json
import zipfile
import zlib

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from dlab import __version__
from dlab.learn.train import Trained
from dlab.params import BadInput

SCHEMA = 1
VERSIONS = {"dlab": __version__, "jax": jax.__version__, "optax": optax.__version__, "equinox": eqx.__version__}


class Checkpoint(BadInput):
    """A file that is no checkpoint, or of another network."""


def packed(trained: Trained, spec: dict) -> bytes:
    """The training as NPZ bytes; `spec`, plain values, says of what. A finished one leaves the optimiser out."""
    head = {"schema": SCHEMA, "versions": VERSIONS, "spec": spec, "step": trained.step, "updates": trained.updates}
    text = json.dumps(head, sort_keys=True, allow_nan=False).encode()
    arrays = {"head": np.frombuffer(text, np.uint8), "losses": trained.losses.astype(np.float32)}
    trees = {"net": trained.net} if trained.done else {"net": trained.net, "state": trained.state}
    for name, tree in trees.items():
        for i, leaf in enumerate(jax.tree.leaves(eqx.filter(tree, eqx.is_array))):
            arrays[f"{name}{i}"] = np.asarray(leaf)
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def unpacked(data: bytes, like: Trained, spec: dict) -> Trained:
    """The training in `data`, of a network and optimiser shaped as `like`'s; Checkpoint where it is of something else."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            head, arrays = json.loads(file["head"].tobytes()), {name: file[name] for name in file.files}
        if head["schema"] != SCHEMA or head["spec"] != spec:
            raise Checkpoint("The checkpoint belongs to another training; train again.")
        done = head["step"] >= head["updates"]
        state = like.state if done else _filled(like.state, "state", arrays)
        losses = arrays["losses"].astype(float)
        return Trained(_filled(like.net, "net", arrays), state, head["step"], head["updates"], losses)
    except (OSError, EOFError, ValueError, LookupError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, Checkpoint):
            raise
        raise Checkpoint("The checkpoint cannot be read; train again.") from None


def _filled(tree, name, arrays):
    leaves, structure = jax.tree.flatten(tree)
    held, count = [], 0
    for leaf in leaves:
        if eqx.is_array(leaf):
            value = arrays[f"{name}{count}"]
            if value.shape != leaf.shape or value.dtype != leaf.dtype:
                raise Checkpoint("The checkpoint belongs to another network; train again.")
            leaf, count = jnp.asarray(value), count + 1
        held.append(leaf)
    return jax.tree.unflatten(structure, held)
