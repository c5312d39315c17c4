"""A movie as pictures at a steady pace, light ground: what the player shows, density, particles, W₂ so far and its curve.

Whatever stands still is drawn once by matplotlib; per picture there is a density layer and particles added up in numpy.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from contourpy import LineType, contour_generator
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from PIL import Image, ImageDraw, ImageFont

from dlab.figures import paper
from dlab.figures.chart import NEUTRAL, decades, evenly
from dlab.figures.movie import decode
from dlab.figures.numbers import number, step_size
from dlab.figures.paper import Figure, FigureCanvasAgg, matplotlib

SIZE = 1920, 1080  # px; the lengths below are of this size
LEVELS = (0.5, 1, 2, 3, 4.5)  # drops of log p below its peak, the player's contours
MARGIN, GAP, HEAD, FOOT = 48, 40, 124, 104  # around all, between panels, their titles, the clock
BESIDE, UNDER = 380, 230  # the least width of the chart beside the panels, its height under them
TEXT, QUIET, FAINT, ACT = "#1f2328", "#565d66", "#d5d8dc", "#00639c"
FILL = 0.1  # how dark the density is at its peak
EASE = 0.5  # seconds from which on a step rests at its ends, as in the player
DPI = 100
PHASES = 4  # places of a particle's centre within a pixel, each way


def frames(data: bytes, fps: float = 30, scale: float = 1.0) -> Iterator[np.ndarray]:
    """Pictures (height, width, 3) uint8, SIZE times `scale`, of the bytes that `movie.encode` made, from its beginning to its end, `fps`
    of them for each second of its clock."""
    film = _Film(decode(data), scale)
    count = round(film.movie["clock"][-1] * fps) + 1
    return (film.picture(j / fps, (j + 1) / count) for j in range(count))


class _Film:
    def __init__(self, movie, scale):
        self.movie, self.panels, n = movie, movie["panels"], len(movie["panels"])
        self.px = lambda length: round(length * scale)
        self.width, self.height = (2 * round(side * scale / 2) for side in SIZE)  # even, which yuv420p asks for
        self.font, self.bold, self.large, self.small = (
            _font(self.px(size), weight) for size, weight in ((30, ""), (34, "-Bold"), (46, "-Bold"), (25, ""))
        )
        acts = [first for _, first in movie["acts"]]
        self.acts = [sum(first <= k for first in acts) - 1 for k in range(len(movie["times"]))]
        self.known = [_known(p, acts) for p in self.panels]
        charted = any(p["distance"] for p in self.panels)
        room, tall = SIZE[0] - 2 * MARGIN, SIZE[1] - HEAD - FOOT - 14
        beside = min((room - BESIDE - GAP * n) / n, tall) if charted else 0
        under = min((room - GAP * (n - 1)) / n, tall - (UNDER + 20) * charted)
        self.side = self.px(max(beside, under))
        wide = n * max(beside, under) + GAP * (n - 1)
        if beside > under:
            chart = min(room - wide - GAP, 1.15 * beside)
            left = (SIZE[0] - wide - GAP - chart) / 2
            down = (tall - beside) / 3
            place = (left + wide + GAP, HEAD + down, chart, beside)
        else:
            down, left, place = 0, (SIZE[0] - wide) / 2, (MARGIN, HEAD + under + 20, room, UNDER)
        self.left = [self.px(left + i * (max(beside, under) + GAP)) for i in range(n)]
        self.head, self.top = self.px(down), self.px(HEAD + down)
        self.axes = _axes(movie["box"], self.side, _font(self.px(21)), scale)
        self.discs = [_discs(p["count"], scale) for p in self.panels]
        self.field = _Field(movie["density"], self.side, scale) if "density" in movie else None
        self.chart = _Chart(movie, self.known, *(self.px(v) for v in place), scale) if charted else None
        self.still = Image.new("RGB", (self.width, self.height), "white")
        draw = ImageDraw.Draw(self.still)
        for x, panel in zip(self.left, self.panels):
            short, _, title = panel["name"].partition(" · ")
            draw.text((x, self.head + self.px(18)), short, panel["colours"][0], self.bold)
            if title and draw.textlength(title, self.small) < self.side:
                draw.text((x, self.head + self.px(62)), title, QUIET, self.small)
        if self.chart:
            draw.text((self.chart.left, self.chart.top - self.px(6)), self.chart.label, QUIET, self.small, anchor="ls")

    def at(self, second) -> tuple[int, int, float, float]:
        """The frame at or before a second, the next one, how far between them particles are, and t, which runs evenly."""
        clock, times, last = self.movie["clock"], self.movie["times"], len(self.movie["clock"]) - 1
        k = max(0, int(np.searchsorted(clock, second + 1e-5, "right")) - 1)
        after = min(k + 1, last)
        gap = clock[after] - clock[k]
        f = 0.0 if self.acts[after] != self.acts[k] or gap <= 0 else min(1.0, max(0.0, (second - clock[k]) / gap))
        return k, after, f * f * (3 - 2 * f) if gap >= EASE else f, times[k] + f * (times[after] - times[k])

    def picture(self, second, done) -> np.ndarray:
        movie, image, px = self.movie, self.still.copy(), self.px
        draw = ImageDraw.Draw(image)
        k, after, f, t = self.at(second)
        ground = self.field.at(t) if self.field else np.full((self.side, self.side), 255, np.float32)
        for x, panel, known, discs in zip(self.left, self.panels, self.known, self.discs):
            now, then = panel["positions"][k], panel["positions"][after]
            where = now + f * np.where(np.isnan(then), 0, then - now) if f else now
            stage = Image.fromarray(_dots(ground, where, panel["colours"][0], movie["box"], discs))
            stage.paste(self.axes, mask=self.axes)
            image.paste(stage, (x, self.top))
            draw.text((x, self.head + px(94)), _lost(panel, k), QUIET, self.small)
            if panel["distance"] and known[k] >= 0:
                draw.text((x + self.side, self.head + px(60)), self.chart.said(panel["distance"][known[k]]), TEXT, self.large, anchor="rs")
        if self.chart:
            self.chart.paste(image, draw, second, k)
        label = movie["acts"][self.acts[k]][0] if self.acts[k] >= 0 else ""
        most = max(n for n, act in zip(movie["steps"], self.acts) if act == self.acts[k])
        step = f"step {movie['steps'][k]} of {most}" if most else ""
        size = "" if movie["h"] is None else f"h = {step_size(movie['h'])}"
        y = self.height - px(78)
        for x, words, font in ((0, size, self.bold), (220, step, self.font), (520, f"t = {t:.2f}", self.font), (720, label, self.font)):
            draw.text((px(MARGIN + x), y), words, TEXT, font)
        # Moves in every picture: encoders drop one that is its predecessor's twin.
        left, right, low = px(MARGIN), self.width - px(MARGIN), self.height - px(20)
        draw.rectangle((left, low, right, low + px(6)), FAINT)
        draw.rectangle((left, low, left + round((right - left) * done), low + px(6)), ACT)
        return np.asarray(image)


def _known(panel, acts) -> list[int]:
    """For each frame the last one up to it, of its act, at which the distance was measured; -1 where there is none."""
    if not panel["distance"]:
        return []
    found, last, real = [], -1, panel["real"] or [1] * len(panel["distance"])
    for k, (value, measured) in enumerate(zip(panel["distance"], panel["measured"])):
        last = -1 if k in acts else last
        last = k if value is not None and measured and real[k] else last
        found.append(last)
    return found


def _font(size, weight=""):
    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans{weight}.ttf", max(size, 9))


def _lost(panel, k) -> str:
    gone, outside = panel["diverged"][k], panel["outside"][k]
    said = [f"{gone} of {panel['count']} particles diverged" if gone else "", f"{outside} outside the view" if outside else ""]
    return ", ".join(filter(None, said))


def _axes(box, side, font, scale) -> Image.Image:
    """Frame, ticks and their numbers on a transparent ground."""
    image = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, side - 1, side - 1), outline="#c3c7cc", width=max(1, round(1.5 * scale)))
    near, long = 40 * scale, 9 * scale
    halo = {"fill": QUIET, "font": font, "stroke_width": 2, "stroke_fill": "white"}
    for low, high, upright in ((*box[:2], False), (*box[2:], True)):
        for value, words in evenly(low, high, 4):
            at = (value - low) / (high - low) * side
            if not near <= at <= side - near:
                continue
            if upright:
                draw.line((0, side - at, long, side - at), QUIET, 2)
                draw.text((1.6 * long, side - at), words, anchor="lm", **halo)
            else:
                draw.line((at, side - long, at, side - 1), QUIET, 2)
                draw.text((at, side - 1.5 * long), words, anchor="ms", **halo)
    return image


class _Field:
    """The density under the particles, between the times at which it is known."""

    def __init__(self, density, side, scale):
        self.times, self.drop, self.side, self.known = density["times"], density["drop"], side, {}
        self.at_grid = np.linspace(0, side, density["side"])
        with paper.settings():
            self.renderer = RendererAgg(side, side, DPI)
            self.pen = self.renderer.new_gc()
            self.pen.set_linewidth(max(0.9, 1.3 * scale))
            self.pen.set_foreground("k")

    def at(self, t) -> np.ndarray:
        """(side, side) floats, 255 where nothing is."""
        if t not in self.known:
            self.known = {t: self._draw(t)}  # times run up and down: only the last one comes again
        return self.known[t]

    def _draw(self, t):
        k = int(np.clip(np.searchsorted(self.times, t, "right") - 1, 0, max(0, len(self.times) - 2)))
        later = min(k + 1, len(self.times) - 1)
        gap = self.times[later] - self.times[k]
        f = float(np.clip((t - self.times[k]) / gap, 0, 1)) if gap else 0.0
        drop = self.drop[k] + f * (self.drop[later] - self.drop[k])
        drop = drop - drop.min()
        # Grid nodes sit on the edge of the box, an image's pixels half a cell inside it.
        inner = (0.5, 0.5, len(drop) - 0.5, len(drop) - 0.5)
        shade = Image.fromarray(np.exp(-drop[::-1]).astype(np.float32))
        fill = np.asarray(shade.resize((self.side, self.side), Image.Resampling.BILINEAR, box=inner))
        lines = contour_generator(self.at_grid, self.at_grid, drop, line_type=LineType.ChunkCombinedCode)
        self.renderer.clear()
        for level in LEVELS:
            for points, codes in zip(*lines.lines(level)):
                if points is not None:
                    self.renderer.draw_path(self.pen, Path(points, codes), Affine2D())
        covered = np.asarray(self.renderer.buffer_rgba())[..., 3].astype(np.float32)
        return (255 - 0.34 * covered) * (1 - np.float32(FILL) * fill)


def _discs(count, scale=1.0):
    """(reach, log(1 − cover) (PHASES², s, s)) of a particle; the more there are the smaller and fainter they are drawn."""
    share = min(1.0, (900 / count) ** 0.5)
    radius, alpha, sub = max(1.2, (2.2 + 1.9 * share) * scale), 0.45 + 0.3 * share, 4
    reach = int(np.ceil(radius + 0.5))
    fine = (np.arange((2 * reach + 1) * sub) + 0.5) / sub - reach
    stamps = []
    for py in range(PHASES):
        for px in range(PHASES):
            y, x = fine - (py + 0.5) / PHASES, fine - (px + 0.5) / PHASES
            inside = np.hypot(x, y[:, None]) < radius
            stamps.append(alpha * inside.reshape(2 * reach + 1, sub, -1, sub).mean(axis=(1, 3)))
    return reach, np.log1p(-np.array(stamps))


def _dots(ground, positions, colour, box, discs) -> np.ndarray:
    """Particles (n, 2) over the ground, (side, side, 3) uint8."""
    side, (reach, stamps) = len(ground), discs
    where = (positions - box[::2]) / np.subtract(box[1::2], box[::2]) * side
    x, y = where[:, 0], side - where[:, 1]
    with np.errstate(invalid="ignore"):
        seen = (x > -reach) & (x < side + reach) & (y > -reach) & (y < side + reach)
    x, y = x[seen], y[seen]
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    phase = ((y - top) * PHASES).astype(int) * PHASES + ((x - left) * PHASES).astype(int)
    # A rim catches what reaches over the edge. Covers multiply, so their logarithms add.
    wide, size = side + 4 * reach, 2 * reach + 1
    rows = (top + reach)[:, None, None] + np.arange(size)[:, None]
    places = rows * wide + (left + reach)[:, None, None] + np.arange(size)
    total = np.bincount(places.ravel(), stamps[phase].ravel(), minlength=wide * wide)[: wide * wide].reshape(wide, wide)
    total = total[2 * reach : 2 * reach + side, 2 * reach : 2 * reach + side]
    hit = total < 0  # most of the picture is ground
    clear, own = np.exp(total[hit])[:, None], 255 * np.array(matplotlib.colors.to_rgb(colour))
    picture = np.repeat(np.rint(ground).astype(np.uint8)[..., None], 3, axis=2)
    picture[hit] = np.rint(ground[hit][:, None] * clear + own * (1 - clear))
    return picture


class _Chart:
    """The distances so far of all panels: faint what is ahead, full what is behind the cursor."""

    def __init__(self, movie, known, left, top, width, height, scale):
        self.left, self.top, self.width, self.height, self.known = left, top, width, height, known
        self.panels, self.clock = movie["panels"], np.array(movie["clock"])
        # One scale for all step sizes, at most four decades, as in the player.
        values = [v for r in movie["rungs"] for p in r["panels"] for v in p["distance"] or () if v is not None]
        high = max([v for v in values if v > 0], default=1.0)
        low = max(min([v for v in values if v > 0], default=high), 1e-4 * high)
        self.log = high > 10 * low
        self.low, self.high = (low / 1.15, high * 1.15) if self.log else (0.0, high * 1.05)
        labels = dict.fromkeys(p["label"] for p in self.panels)
        said = next(iter(labels)) if len(labels) == 1 else "W₂ so far"
        self.label = (said[:-1] + ", log scale)" if said.endswith(")") else said + " (log scale)") if self.log else said
        first = min((k for p in self.panels for k, v in enumerate(p["distance"] or ()) if v is not None), default=0)
        self.start, self.dot = self.clock[first], max(4, round(9 * scale))
        cuts = [*(a for _, a in movie["acts"]), len(self.clock)]
        ticks = decades(self.low, self.high) if self.log else evenly(self.low, self.high, 3)
        font = 72 / DPI * 24 * scale
        with paper.settings(font):
            figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
            indent, end, foot = 96 * scale / width, 74 * scale / width, 44 * scale / height
            ax = figure.add_axes((indent, foot, 1 - indent - end, 1 - foot - 6 * scale / height))
            span = (self.start, max(self.clock[-1], self.start + 1e-9))
            ax.set(xlim=span, yscale="log" if self.log else "linear", ylim=(self.low, self.high))
            ax.set_yticks(*zip(*ticks[:: -(-len(ticks) // 5)])) if ticks else ax.set_yticks([])
            ax.set_yticks([], minor=True)
            ax.set_xticks(span, [f"t = {movie['times'][k]:g}" for k in (first, -1)])
            ax.tick_params(length=0, labelcolor=QUIET, labelsize=font)
            for text, side in zip(ax.get_xticklabels(), ("left", "right")):
                text.set_horizontalalignment(side)
            ax.spines[["top", "right", "left"]].set_visible(False)
            ax.spines["bottom"].set_color(NEUTRAL[0])
            ax.grid(axis="y", color=FAINT, linewidth=scale)
            lines, self.y = [], []
            for panel in self.panels:
                y = np.array([np.nan if v is None else v for v in panel["distance"] or [None] * len(self.clock)])
                for a, b in pairwise(cuts):
                    k = np.arange(a, b)[np.isfinite(y[a:b])]
                    own = {"color": panel["colours"][0], "linewidth": 3 * scale, "alpha": 0.3, "solid_capstyle": "round"}
                    lines += ax.plot(self.clock[k], np.maximum(y[k], 1e-2 * self.low), **own)
                self.y.append(np.clip(y, self.low, None))
            shown = [(i, y[np.isfinite(y)][-1]) for i, y in enumerate(self.y) if np.isfinite(y).any()]
            heights = {i: ax.transData.transform((span[1], y))[1] for i, y in shown}
            for i, at in _apart(heights, 30 * scale).items():
                panel = self.panels[i]
                figure.text(1 - end + 12 * scale / width, at / height, panel["name"].split(" ")[0], color=panel["colours"][0],
                            fontsize=font, fontweight="bold", va="center")  # fmt: skip
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            self.ahead = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
            for line in lines:
                line.set_alpha(1)
            canvas.draw()
            self.behind = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
            clear = [np.where(np.isfinite(y), y, self.high) for y in self.y]
            self.place = [ax.transData.transform(np.stack([self.clock, y], 1)) for y in clear]
            self.span = (*ax.transData.transform((span[0], self.low)), *ax.transData.transform((span[1], self.high)))

    def said(self, value) -> str:
        """The number of a panel; below the axis, below what."""
        return f"W₂ < {number(self.low)}" if value < self.low else f"W₂ = {number(value)}"

    def paste(self, image, draw, second, k) -> None:
        image.paste(self.ahead, (self.left, self.top))
        if second < self.start:
            return
        x0, y0, x1, y1 = self.span
        x = x0 + (x1 - x0) * min(1, (second - self.start) / max(self.clock[-1] - self.start, 1e-9))
        image.paste(self.behind.crop((0, 0, round(x), self.height)), (self.left, self.top))
        draw.line((self.left + x, self.top + self.height - y1, self.left + x, self.top + self.height - y0), QUIET, max(1, self.dot // 6))
        for panel, known, places in zip(self.panels, self.known, self.place):
            if not known or known[k] < 0:
                continue
            (dx, dy), own = places[known[k]], panel["colours"][0]
            below = panel["distance"][known[k]] < self.low
            middle, r = np.array([self.left + dx, self.top + self.height - dy]), self.dot
            draw.ellipse((*(middle - r), *(middle + r)), "white" if below else own, own if below else "white", max(2, self.dot // 4))


def _apart(heights: dict, gap) -> dict:
    """Heights of labels, moved up where two would cover each other."""
    found, last = {}, -np.inf
    for i, at in sorted(heights.items(), key=lambda item: item[1]):
        found[i] = last = max(at, last + gap)
    return found
