"""Objects of different classes have different structures, so that compiled code of one never runs for another."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import jax
import pytest

import dlab
from dlab import errors, schemes, targets
from dlab.pytree import pytree

PLACE = {"target": targets.REGISTRY["skew"].example}


def fields():
    """An object of each kind that enters compiled code, by name."""
    found = {f"target {name}": targets.build(entry.example).field for name, entry in targets.REGISTRY.items() if name != "images"}
    for name, entry in errors.REGISTRY.items():
        if not entry.of_target:
            found[f"error {name}"] = errors.build(entry.example, None, None)
    return found | {f"scheme {name}": scheme for name, scheme in schemes.REGISTRY.items()}


def test_no_two_kinds_share_a_structure():
    known = {name: jax.tree.structure(thing) for name, thing in fields().items()}
    classes = {name: type(thing) for name, thing in fields().items()}
    same = [pair for pair in combinations(known, 2) if known[pair[0]] == known[pair[1]] and classes[pair[0]] is not classes[pair[1]]]
    assert not same


@pytest.mark.parametrize("meta", [[], ["name"]])
def test_compiled_code_is_of_the_class_that_is_given(meta):
    """Two classes with the same fields, often enough that a mix-up by chance is seen."""

    def made(name):
        fields = {"x": float} | dict.fromkeys(meta, str)
        kind = dataclass(frozen=True)(type(name, (), {"__annotations__": fields}))
        return pytree(["x"], meta=meta)(kind)

    wrong = 0
    for i in range(100):
        one, other = made(f"One{i}"), made(f"Other{i}")

        @jax.jit
        def which(thing, one=one):
            return 0 * thing.x + isinstance(thing, one)

        given = ["same"] * len(meta)
        wrong += bool(which(one(1.0, *given)) != 1 or which(other(1.0, *given)) != 0)
    assert wrong == 0
    assert jax.tree.structure(one(1.0, *given)) != jax.tree.structure(other(1.0, *given))
    assert jax.tree.map(lambda v: 2 * v, one(1.0, *given)) == one(2.0, *given)
    (path, _), = jax.tree_util.tree_leaves_with_path(one(1.0, *given))
    assert jax.tree_util.keystr(path) == ".x"


def test_no_class_of_the_lab_registers_by_jax_itself():
    root = Path(dlab.__file__).parent
    using = [str(path.relative_to(root)) for path in root.rglob("*.py") if "register_dataclass" in path.read_text(encoding="utf-8")]
    assert using == ["pytree.py"]
