"""Dataclasses that JAX may trace: what enters compiled code as an object."""

import jax


def pytree(data, meta=()):
    """Decorator of a dataclass: a JAX pytree whose structure holds its class.

    `jax.tree_util.register_dataclass` is not used: jaxlib 0.10 takes the structures of two classes that it has registered for equal where
    their fields are, whatever the classes. Compiled code is looked up by structure, so about every hundredth time that of one class ran
    for another: fresh noise as a relative error.

    data: names of the fields that are traced (arrays, numbers, other pytrees).
    meta: names of the fields that are constants of the compiled code; their values are hashable.
    """
    data, meta = tuple(data), tuple(meta)
    keys = tuple(jax.tree_util.GetAttrKey(name) for name in data)

    def flatten(node):
        return tuple(getattr(node, name) for name in data), tuple(getattr(node, name) for name in meta)

    def flatten_with_keys(node):
        children, constants = flatten(node)
        return tuple(zip(keys, children)), constants

    def register(kind):
        def unflatten(constants, children):
            return kind(**dict(zip(meta, constants)), **dict(zip(data, children)))

        jax.tree_util.register_pytree_with_keys(kind, flatten_with_keys, unflatten, flatten)
        return kind

    return register
