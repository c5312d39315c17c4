"""Which numerics an answer came from: a fingerprint of the modules that can change its numbers, and of the packages below them.

An answer names the modules that it started from. Their imports within the lab are followed, so a changed line anywhere below them
makes the answer stale, and one elsewhere does not: a registry's list is not followed, nor what draws, exports or shows. Comments,
layout, docstrings and sentences change no number and do not enter.
"""

import ast
import hashlib
import re
import sys
import threading
from collections.abc import Iterable
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "POT", "scikit-learn")
REGISTRIES = {"dlab", "dlab.targets", "dlab.schemes", "dlab.errors", "dlab.measure", "dlab.answers"}
SHOWN = ("dlab._version", "dlab.look", "dlab.schemes.formula", "dlab.figures", "dlab.export", "dlab.ui", "dlab.engine", "dlab.cache",
         "dlab.fingerprint")  # fmt: skip
WORDS = {"title", "formula", "style", "printed", "label", "help", "text", "words", "explanation", "source"}  # keywords of records
SENTENCE = re.compile(r"[^\W\d_]{2,},? [^\W\d_]{2,}")  # two words side by side, which no index string has

_guard = threading.RLock()  # CPython 3.11 parses in one thread at a time: two raise "AST constructor recursion depth mismatch"


def of(modules: Iterable[str]) -> str | None:
    """The fingerprint of what the modules `modules` compute; None where one of them has no source to read."""
    names = frozenset(modules)
    with _guard:
        return _of(names) if all(n.split(".")[0] == "dlab" for n in names) else _of.__wrapped__(names)


def modules_of(*things) -> set[str]:
    """The modules with source of their own (not of an installed package) that functions, classes, records and objects come from; of an
    object also those of its fields."""
    found, left = set(), [(thing, 2) for thing in things]
    while left:
        thing, depth = left.pop()
        if isinstance(thing, partial):
            left += [(v, depth) for v in (thing.func, *thing.args, *thing.keywords.values())]
        elif isinstance(thing, type) or (callable(thing) and hasattr(thing, "__module__") and hasattr(thing, "__name__")):
            found.add(thing.__module__)
            left += [(getattr(cell, "cell_contents", None), depth - 1) for cell in getattr(thing, "__closure__", None) or () if depth]
        elif isinstance(thing, (tuple, list)):
            left += [(v, depth - 1) for v in thing[:32] if depth]
        elif hasattr(thing, "__dict__"):
            found.add(type(thing).__module__)
            left += [(v, depth - 1) for k, v in vars(thing).items() if depth and k not in WORDS]
    return {name for name in found if _path(name) is not None}


@cache
def _of(names: frozenset) -> str | None:
    seen, left = {}, sorted(names)
    while left:
        name = left.pop()
        if name in seen:
            continue
        if (source := _path(name)) is None:
            return None
        seen[name], imports = (_read if name.split(".")[0] == "dlab" else _read.__wrapped__)(source)
        left += imports
    text = "\n".join([*(f"{name} {digest}" for name, digest in sorted(seen.items())), *versions()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _read(path: Path) -> tuple[str, list[str]]:
    """The digest of a file's code without its words, and the modules of the lab that it imports."""
    code, found = [], set()

    def read(node):
        kind = type(node)
        if kind is list:
            code.append("[")
            for part in node:
                read(part)
            code.append("]")
        elif not isinstance(node, ast.AST):
            code.append(repr(node))
        elif kind is ast.Constant:
            code.append("" if isinstance(node.value, str) and SENTENCE.search(node.value) else repr(node.value))
        elif not (
            (kind is ast.Expr and type(node.value) is ast.Constant)
            or (kind is ast.keyword and node.arg in WORDS)
            or (kind is ast.If and getattr(node.test, "id", "") == "TYPE_CHECKING")
        ):
            if kind is ast.Import:
                found.update(name.name for name in node.names)
            elif kind is ast.ImportFrom and node.module:
                found.update(full if _path(full := f"{node.module}.{name.name}") else node.module for name in node.names)
            code.append(kind.__name__)
            for field in node._fields:
                read(getattr(node, field, None))

    read(ast.parse(path.read_text(encoding="utf-8")).body)
    ours = [n for n in found if n.split(".")[0] == "dlab" and n not in REGISTRIES and not n.startswith(SHOWN)]
    return hashlib.sha256("\n".join(code).encode()).hexdigest(), ours


def _path(name: str) -> Path | None:
    """The source of a module: of the lab by its name, of another one that is loaded and belongs to no installed package."""
    first, *rest = name.split(".")
    if first == "dlab":
        path = HERE.joinpath(*rest)
        return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)
    path = Path(getattr(sys.modules.get(name), "__file__", None) or "-")
    outside = "site-packages" in path.parts or first in sys.stdlib_module_names
    return path if path.suffix == ".py" and path.is_file() and not outside else None


@cache
def versions() -> list[str]:
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {'.'.join(version(package).split('.')[:2])}")
        except PackageNotFoundError:
            found.append(f"{package} none")
    return found
