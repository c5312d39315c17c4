"""Imports point down only, siblings leave each other alone, and each library stays on its floor.

The import graph is measured as well, of every import anywhere in a file but those under TYPE_CHECKING. A *layer* is a
folder of `dlab`, a file that lies in `dlab` itself, `pages` or `app`; `app` stands on `pages`, which it starts by their
paths. The longest chain of layers, 14 before the floors were drawn, may hold 13; the longest chain of files, told
beside it, is no limit. No file takes part in a circle of imports.
"""

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Where a module lives: the longest prefix counts.
FLOORS = {
    "dlab._version": 0, "dlab": 0, "dlab.types": 0, "dlab.process": 0, "dlab.grid": 0, "dlab.params": 0, "dlab.linop": 0,
    "dlab.fingerprint": 0, "dlab.cache": 0, "dlab.pictures": 0, "dlab.look": 0, "dlab.words": 0, "dlab.pytree": 0,
    "dlab.room": 1, "dlab.field": 1, "dlab.noise": 1,
    "dlab.targets": 2, "dlab.schemes": 2, "dlab.errors": 2, "dlab.theory": 2, "dlab.learn": 2,
    "dlab.sample": 3, "dlab.laws": 3,
    "dlab.measure": 4,
    "dlab.study": 5,
    "dlab.answers": 6,
    "dlab.engine": 7,
    "dlab.figures": 8, "dlab.meter": 8,
    "dlab.export": 9, "dlab.lesson": 9,
    "dlab.notebook": 10, "dlab.ui": 10,
    "pages": 11, "dlab.__main__": 11,
    "app": 12,
}  # fmt: skip
# Within a floor: a folder is one module, and these may be used by their own floor.
SHARED = {
    "dlab", "dlab._version", "dlab.fingerprint", "dlab.types", "dlab.process", "dlab.params", "dlab.pytree", "dlab.linop", "dlab.pictures",
    "dlab.theory", "dlab.learn",  # a scheme has a theorem, a score error may be a trained network
}  # fmt: skip


def sources():
    for path in sorted([*ROOT.glob("dlab/**/*.py"), *ROOT.glob("pages/**/*.py"), *ROOT.glob("app.py")]):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@cache
def known(module):
    path = ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py").exists() or path.is_dir()


@cache
def imports(path):
    """Absolute names of every module that a file imports anywhere in it, except under TYPE_CHECKING."""
    return tuple(_imports(path))


def _imports(path):
    tree = ast.parse(path.read_text())
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for name in node.names:
                full = f"{node.module}.{name.name}"
                yield full if full.startswith("dlab") and known(full) else node.module


def place(module):
    """(prefix, floor) of a module of ours, or None."""
    found = [p for p in FLOORS if module == p or (p != "dlab" and module.startswith(p + "."))]
    if not found:
        return None
    best = max(found, key=len)
    return best, FLOORS[best]


ALL = dict(sources())


@pytest.mark.parametrize("module", ALL)
def test_every_module_has_a_floor_and_imports_point_down(module):
    assert place(module), f"{module} stands on no floor: add it to FLOORS"
    mine, floor = place(module)
    for used in imports(ALL[module]):
        there = place(used)
        if used.split(".")[0] not in ("dlab", "pages", "app"):
            continue
        assert there, f"{module} imports {used}, which stands on no floor"
        name, below = there
        fine = below < floor or name == mine or (below == floor and name in SHARED)
        assert fine, f"{module} (floor {floor}) imports {used} (floor {below})"


@pytest.mark.parametrize("module", ALL)
def test_each_library_stays_where_it_belongs(module):
    roots = {name.split(".")[0] for name in imports(ALL[module])}
    if not (module.startswith(("dlab.ui", "pages")) or module == "app"):
        assert "streamlit" not in roots
    if not module.startswith("dlab.notebook"):
        assert not roots & {"anywidget", "traitlets", "IPython"}
    if module.startswith("pages") or module == "app":
        assert not roots & {"jax", "ot", "scipy"}
    if place(module)[1] < FLOORS["dlab.figures"]:
        assert not roots & {"plotly", "matplotlib"}


RECORDS = {"SCHEME", "ENTRY", "ENTRIES"}


# ---------------------------------------------------------------- the graph that there is

LAYERS = 13


def graph(name=lambda module: module):
    """{module: modules of ours that it imports}; modules with one `name` are one node."""
    edges = defaultdict(set)
    for module, path in ALL.items():
        edges[name(module)] |= {name(used) for used in imports(path) if used in ALL} - {name(module)}
    edges["app"] |= {name(page) for page in ALL if page.startswith("pages.")}
    return dict(edges)


def layer(module):
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "dlab" else parts[0]


def chain(edges):
    """The longest chain of a graph; fails on a circle, which it names."""
    longest, under_way = {}, []

    def follow(node):
        assert node not in under_way, f"a circle of imports: {' → '.join([*under_way[under_way.index(node):], node])}"
        if node not in longest:
            under_way.append(node)
            longest[node] = [node, *max((follow(used) for used in sorted(edges[node])), key=len, default=[])]
            under_way.pop()
        return longest[node]

    return max((follow(node) for node in sorted(edges)), key=len)


def test_there_is_no_circle_and_no_chain_of_more_than_thirteen_layers():
    files, layers = chain(graph()), chain(graph(layer))
    assert len(layers) <= LAYERS, f"{len(layers)} layers ({len(files)} files in the longest chain): {' → '.join(layers)}"


# What screens are made of stays short enough to be read at once.
def test_no_file_of_the_screens_is_longer_than_350_lines():
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in ALL.values()}
    long = {name for name, lines in lengths.items() if name.startswith(("dlab/ui/", "pages/")) and lines > 350}
    assert not long


@pytest.mark.parametrize("folder", ["targets", "schemes", "errors", "measure"])
def test_registered_things_do_not_import_each_other_and_stand_in_the_registry(folder):
    """One thing a file, one line in the registry."""
    registry = ast.dump(ast.parse((ROOT / "dlab" / folder / "__init__.py").read_text()))
    trees = {p.stem: ast.parse(p.read_text()) for p in (ROOT / "dlab" / folder).glob("*.py")}
    things = {
        stem for stem, tree in trees.items()
        if RECORDS & {getattr(t, "id", "") for n in tree.body if isinstance(n, ast.Assign) for t in n.targets}
    }  # fmt: skip
    assert things
    for thing in things:
        assert f"'{thing}'" in registry, f"{folder}/{thing}.py is not in the registry"
