"""The small pictures of Home's cards, as SVG, from the prepared files: what a scene is about, and not its answer.

Whatever belongs to a scheme has the scheme's name as its class, everything else is of the text's colour: `dlab.ui.cards` gives both
theirs, on light and on dark ground.
"""

import json
import math
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from contourpy import contour_generator

from dlab import targets
from dlab.answers import images
from dlab.cache import PREPARED
from dlab.figures.movie import at_step, decode
from dlab.ui import links, movies, opening, scenes, studies
from dlab.ui.cards import FOLDER, GROUPS

WIDTH, HEIGHT = 280, 150
LEVELS = (0.5, 1, 2, 3, 4.5)  # drops of log p below its peak, as in the player
DOTS = 150  # of a cloud
SLOPES = (0.5, 1, 2)  # that a fan of lines offers


def drawing(*parts: str) -> str:
    """The file: what the parts draw in a picture of WIDTH × HEIGHT."""
    body = "".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">{body}</svg>\n'


def clouds(box, drop: np.ndarray, *panels: tuple[str, np.ndarray]) -> str:
    """Clouds side by side over the same density. drop (G, G): nats below its peak over box (x0, x1, y0, y1), row = y; panels: (class,
    positions (n, 2))."""
    side = min(HEIGHT - 10, (WIDTH - 10) / len(panels) - 8)
    gap, top = (WIDTH - side * len(panels)) / (len(panels) + 1), (HEIGHT - side) / 2
    drawn = []
    for i, (name, where) in enumerate(panels):
        left = gap + i * (side + gap)
        drawn += [contours(drop, left, top, side), dots(name, where, box, left, top, side)]
    return "".join(drawn)


def contours(drop: np.ndarray, left: float, top: float, side: float) -> str:
    """The density's lines in a square."""
    scale = side / (len(drop) - 1)
    lines = [np.append(line[:-1:2], line[-1:], 0) for level in LEVELS for line in contour_generator(z=drop).lines(level)]
    return f'<path class="density" d="{"".join(_path(left + line[:, 0] * scale, top + side - line[:, 1] * scale) for line in lines)}"/>'


def dots(name: str, where: np.ndarray, box, left: float, top: float, side: float) -> str:
    """The first DOTS points of a cloud that lie in the square."""
    at = (np.asarray(where)[:DOTS] - box[::2]) / np.subtract(box[1::2], box[::2])
    seen = at[np.all((at > 0.01) & (at < 0.99), axis=1)]
    places = "".join(f"M{left + x * side:.1f} {top + side - y * side:.1f}h0" for x, y in seen)
    return f'<path class="dots {name}" d="{places}"/>'


def beginning(points: dict[str, tuple[float, float]], bounds: dict[str, Iterable[tuple[float, float]]] = {}, fan: bool = True) -> str:  # noqa: B006
    """A curve of which the first point is known: points {scheme: (h, W2)}, with a fan of slopes to finer steps, and the lines of bounds
    {scheme: (h, bound), ...}, on logarithmic axes."""
    left, right, low, high = 34, WIDTH - 16, HEIGHT - 26, 12
    every = [*points.values(), *(p for line in bounds.values() for p in line)]
    h1, h0 = max(h for h, _ in every), min([min(h for h, _ in every), max(h for h, _ in every) / 32])
    top = 1.6 * max(v for _, v in every)
    bottom = min(v for _, v in every) / (40 if fan else 2.5)

    def at(h, v):
        x = left + (right - 22 - left) * math.log(h / h0) / math.log(h1 / h0)
        return x, low + (high - low) * math.log(max(v, bottom) / bottom) / math.log(top / bottom)

    drawn = [
        f'<path class="axis" d="M{left} {high - 4}V{low}H{right}"/>',
        f'<text x="{left - 8}" y="{high + 6}" text-anchor="end">W₂</text><text x="{right}" y="{low + 16}" text-anchor="end">h</text>',
    ]
    for name, line in bounds.items():
        drawn.append(f'<path class="bound {name}" d="{_path(*np.array([at(*p) for p in sorted(line)]).T)}"/>')
    for h, v in points.values():
        if fan:
            for slope in SLOPES:
                end = max(h0, h * (bottom / v) ** (1 / slope))
                drawn.append(f'<path class="fan" d="{_path(*np.array([at(h, v), at(end, v * (end / h) ** slope)]).T)}"/>')
    for name, (h, v) in points.items():
        x, y = at(h, v)
        drawn.append(f'<circle class="point {name}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
    labels = {name: at(*p) for name, p in points.items()} or {name: at(*max(line)) for name, line in bounds.items()}
    heights = {}
    for name, (_, y) in sorted(labels.items(), key=lambda item: item[1][1]):
        heights[name] = max(y + 4, max(heights.values(), default=-99) + 13)
    drawn += [f'<text class="name {name}" x="{labels[name][0] + 9:.1f}" y="{heights[name]:.1f}">{name}</text>' for name in labels]
    return "".join([*drawn, f'<text class="ask" x="{left + 26}" y="{low - 18}">?</text>'])


def pixels(pictures: np.ndarray) -> str:
    """Small grey pictures in a row: (n, s, s), 0 the ground and 1 the ink, in eight greys."""
    side = min((WIDTH - 20) / len(pictures) - 8, HEIGHT - 30)
    gap, cell, drawn = (WIDTH - side * len(pictures)) / (len(pictures) + 1), side / pictures.shape[1], []
    for grey in range(1, 9):
        cells = []
        for i, row, col in zip(*np.nonzero(np.rint(8 * pictures) == grey)):
            x, y = gap + i * (side + gap) + col * cell, (HEIGHT - side) / 2 + row * cell
            cells.append(f"M{x:.1f} {y:.1f}h{cell:.1f}v{cell:.1f}h-{cell:.1f}z")
        drawn.append(f'<path class="pixel" opacity="{grey / 8}" d="{"".join(cells)}"/>')
    return "".join(drawn)


def arrows(box, ends: np.ndarray, drop: np.ndarray) -> str:
    """Arrows (m, 4), from x, y along u, v, over a density, in a square in the middle."""
    side = HEIGHT - 10
    left, top, scale = (WIDTH - side) / 2, 5, side / (box[1] - box[0])
    x, y, u, v = np.asarray(ends).T
    long = np.hypot(u, v)
    u, v = (0.085 * (box[1] - box[0]) * w * np.sqrt(long / long.max()) / np.maximum(long, 1e-12) for w in (u, v))
    lines, x, y = [], left + (x - box[0]) * scale, top + side - (y - box[2]) * scale
    for a, b, du, dv in zip(x, y, u * scale, -v * scale):
        X, Y = a + du, b + dv
        lines.append(f"M{a:.1f} {b:.1f}L{X:.1f} {Y:.1f}m{-0.3 * du - 0.2 * dv:.1f} {-0.3 * dv + 0.2 * du:.1f}L{X:.1f} {Y:.1f}"
                     f"l{-0.3 * du + 0.2 * dv:.1f} {-0.3 * dv - 0.2 * du:.1f}")  # fmt: skip
    return contours(drop, left, top, side) + f'<path class="arrows" d="{"".join(lines)}"/>'


def spectrum(values: Iterable[float]) -> str:
    """Variances of many coordinates, as bars."""
    values = list(values)
    wide = (WIDTH - 40) / len(values)
    bars = [
        f'<rect class="bar" x="{20 + i * wide:.1f}" y="{HEIGHT - 20 - v * (HEIGHT - 40):.1f}" width="{0.62 * wide:.1f}" '
        f'height="{v * (HEIGHT - 40):.1f}"/>'
        for i, v in enumerate(values)
    ]  # fmt: skip
    return "".join(bars)


def goal(points: list[tuple[float, float]], scheme: str, wanted: float) -> str:
    """The first points of a scheme and the accuracy that is wanted of it, against the number of steps."""
    left, right, low, high = 34, WIDTH - 16, HEIGHT - 26, 14
    top, bottom, first, last = 1.6 * max(v for _, v in points), wanted / 2.2, points[0][0] * 0.8, points[0][0] * 60

    def at(n, v):
        x = left + (right - left) * math.log(n / first) / math.log(last / first)
        return x, low + (high - low) * math.log(v / bottom) / math.log(top / bottom)

    y = at(first, wanted)[1]
    return "".join([
        f'<path class="axis" d="M{left} {high - 6}V{low}H{right}"/>',
        f'<text x="{left - 8}" y="{high + 6}" text-anchor="end">W₂</text><text x="{right}" y="{low + 16}" text-anchor="end">steps</text>',
        f'<path class="wanted" d="M{left} {y:.1f}H{right}"/><text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">ε</text>',
        *(f'<circle class="point {scheme}" cx="{at(n, v)[0]:.1f}" cy="{at(n, v)[1]:.1f}" r="5"/>' for n, v in points),
        f'<text class="ask" x="{right - 60}" y="{y + 9:.1f}">?</text>',
    ])  # fmt: skip


def _path(x, y) -> str:
    """Straight lines from point to point, told by their differences, which are short."""
    at = np.rint(10 * np.stack([x, y], 1)).astype(int)
    ways = "".join(f"l{_tenths(a)} {_tenths(b)}" for a, b in np.diff(at, axis=0))
    return f"M{_tenths(at[0, 0])} {_tenths(at[0, 1])}{ways}".replace(" -", "-")


def _tenths(value) -> str:
    return f"{value / 10:g}".replace("0.", ".", 1) if abs(value) < 10 else f"{value / 10:g}"


# ---------------------------------------------------------------- what is on each card


def write() -> list[Path]:
    """Draw the picture of every card; returns the files."""
    FOLDER.mkdir(exist_ok=True)
    wanted = [name for names in GROUPS.values() for name in names]
    for path in FOLDER.glob("*.svg"):
        if path.stem not in wanted:
            path.unlink()
    for name in wanted:
        (FOLDER / f"{name}.svg").write_text(drawing(PICTURES[name]()), "utf-8")
    return [FOLDER / f"{name}.svg" for name in wanted]


def _result(name) -> dict:
    return json.loads((PREPARED / f"{name}.json").read_text("utf-8"))


def _movie(scene, share: float):
    """(box, log p drop, {scheme: positions}) of a scene's movie when that share of it is over."""
    values = links.read(scenes.BY_NAME[scene].settings)[0]
    study = studies.moving_study(values)
    return _at(decode(movies.known_movie(study, study.steps[-1], values["moving"])[0]), share)


def _at(movie, share):
    clock, density = np.array(movie["clock"]), movie["density"]
    k = int(np.searchsorted(clock, share * clock[-1]))
    nearest = int(np.abs(np.subtract(density["times"], movie["times"][k])).argmin())
    return movie["box"], density["drop"][nearest], {p["name"].split(" ")[0]: p["positions"][k] for p in movie["panels"]}


def _two(scene, share) -> str:
    box, drop, panels = _movie(scene, share)
    return clouds(box, drop, *panels.items())


def _tour() -> str:
    """Noise turns into the target, in three moments."""
    movie, drawn, side = decode(at_step(zlib.decompress(opening.make()), 1 / 32)), [], 82
    for i, share in enumerate((0.2, 0.85, 1.0)):
        box, drop, panels = _at(movie, share)
        left, top = 10 + i * (side + 7), (HEIGHT - side) / 2
        drawn += [contours(drop, left, top, side), dots("SO", panels["SO"], box, left, top, side)]
    return "".join(drawn)


def _first(name) -> dict:
    """The coarsest point of each scheme in a result."""
    return {r["scheme"]: (r["h"], r["w2"]) for r in reversed(_result(name)["rows"])}


def _bounds(name) -> dict:
    rows = _result(name)["rows"]
    return {s: [(r["h"], r["bound"]) for r in rows if r["scheme"] == s] for s in dict.fromkeys(r["scheme"] for r in rows)}


def _target(spec, half: float, centre=(0.0, 0.0)) -> str:
    """The lines of a target, in the middle."""
    target, side = targets.build(spec), 96
    x = np.linspace(-half, half, side)
    grid = np.stack(np.meshgrid(x + centre[0], x + centre[1]), -1).reshape(-1, 2)
    log_p = np.asarray(target.log_density(grid)).reshape(side, side)
    return contours(log_p.max() - log_p, (WIDTH - HEIGHT + 10) / 2, 5, HEIGHT - 10)


def _learned() -> str:
    found = _result("learned-skew-error-field")
    box = found["x"][0], found["x"][-1], found["y"][0], found["y"][-1]
    density = np.maximum(np.array(found["density"]), 1e-12)
    return arrows(box, found["arrows"], np.log(density.max() / density))


def _logistic() -> str:
    found = _result("logistic-boundary")
    side, left = HEIGHT - 10, (WIDTH - HEIGHT + 10) / 2
    half = found["box"][1]
    where, label = np.array(found["x"]), np.array(found["y"])
    drawn = []
    for one, sign in (("plus", 1), ("minus", -1)):
        for x, y in (where[label == sign] + half) / (2 * half):
            drawn.append(f'<circle class="{one}" cx="{left + x * side:.1f}" cy="{5 + (1 - y) * side:.1f}" r="3"/>')
    for a, b in found["draws"]:  # the lines a x + b y = 0
        u, v = np.array([-b, a]) / np.hypot(a, b) * 0.72
        middle = left + side / 2, 5 + side / 2
        drawn.append(f'<path class="fan" d="M{middle[0] - u * side:.1f} {middle[1] + v * side:.1f}'
                     f'L{middle[0] + u * side:.1f} {middle[1] - v * side:.1f}"/>')  # fmt: skip
    return f'<svg x="{left}" y="5" width="{side}" height="{side}" viewBox="{left} 5 {side} {side}">{"".join(drawn)}</svg>'


def _images() -> str:
    found = _result("images-grid")
    last = images.unpacked(found["frames"]["SO"], (len(found["times"]), found["count"], found["side"], found["side"]))[-1]
    return pixels(last[:4] / images.LEVELS)


def _budget() -> str:
    return goal([(r["steps"], r["w2"]) for r in _result("convergence-halving")["rows"] if r["scheme"] == "EM"][:3], "EM", 0.005)


PICTURES: dict[str, Callable[[], str]] = {
    "tour": _tour,
    "watch": lambda: _two("watch", 0.9),
    "halving": lambda: beginning(_first("convergence-halving")),
    "too-far": lambda: _two("too-far", 0.8),
    "bound": lambda: beginning({}, _bounds("convergence-bound"), fan=False),
    "exponential": lambda: beginning({}, _bounds("convergence-exponential"), fan=False),
    "floor": lambda: beginning(_first("convergence-floor"), fan=False),
    "evaluations": lambda: beginning(_first("convergence-evaluations")),
    "void": lambda: _target(_result("convergence-void")["study"]["target"], 4.3),
    "bend": lambda: _target(_result("convergence-bend")["study"]["target"], 2.6, (1.3, 1.3)),
    "outside": lambda: _target({"name": "wells", "a": 2.0, "g": 0.2}, 3.4),
    "logistic": _logistic,
    "learned": _learned,
    "images": _images,
    "dimension": lambda: spectrum(np.linspace(0.3, 0.8, 24)),
    "budget": _budget,
}
