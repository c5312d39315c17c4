"""A movie frame by frame as pictures, light ground: density, particles, titles and the distance so far, as in the player.

Whatever stands still is drawn once by matplotlib; per frame there is a density layer and particles added up in numpy.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dlab.figures import paper
from dlab.figures.chart import NEUTRAL, decades, evenly
from dlab.figures.movie import decode
from dlab.figures.numbers import number
from dlab.figures.paper import Figure, FigureCanvasAgg, matplotlib

STAGE = {1: 640, 2: 520, 3: 420}  # px a side of a panel's picture, by the number of panels
LEVELS = (0.5, 1, 2, 3, 4.5)  # drops of log p below its peak, the player's contours
MARGIN, HEAD, TRACE, FOOT = 20, 58, 96, 52  # px: around panels, their titles, the distance so far, the clock
TEXT, QUIET, FAINT = "#1f2328", "#565d66", "#d5d8dc"
FILL = 0.1  # how dark the density is at its peak
DPI, SIZE = 100, 16  # of all text, px
PHASES = 4  # places of a particle's centre within a pixel, each way


def frames(data: bytes) -> Iterator[np.ndarray]:
    """Pictures (height, width, 3) uint8, one for each frame of the bytes that `movie.encode` made; both sides are even."""
    film = _Film(decode(data))
    return (film.frame(k) for k in range(film.count))


class _Film:
    def __init__(self, movie):
        self.movie, self.count, self.side = movie, len(movie["times"]), STAGE[len(movie["panels"])]
        self.acts = [sum(first <= k for _, first in movie["acts"]) - 1 for k in range(self.count)]
        traced = any(p["distance"] for p in movie["panels"])
        self.top = HEAD
        self.foot = HEAD + self.side + (TRACE + 30 if traced else 0)
        self.width = len(movie["panels"]) * (self.side + MARGIN) + MARGIN
        self.height = self.foot + FOOT
        self.font, self.bold, self.small = _font(SIZE), _font(SIZE, "-Bold"), _font(13)
        self.still = Image.new("RGB", (self.width, self.height), "white")
        self.left = [MARGIN + i * (self.side + MARGIN) for i in range(len(movie["panels"]))]
        self.axes = _axes(movie["box"], self.side, self.small)
        self.discs = [_discs(p["count"]) for p in movie["panels"]]
        self.field = _Field(movie["density"], self.side) if "density" in movie else None
        self.traces = [_Trace(movie, p, self.side) if p["distance"] else None for p in movie["panels"]]
        draw = ImageDraw.Draw(self.still)
        for x, panel, trace in zip(self.left, movie["panels"], self.traces):
            draw.text((x, 8), panel["name"], panel["colours"][0], self.bold)
            if trace:
                draw.text((x, self.top + self.side + 8), trace.label, QUIET, self.small)

    def frame(self, k) -> np.ndarray:
        movie, image = self.movie, self.still.copy()
        draw = ImageDraw.Draw(image)
        t = movie["times"][k]
        ground = self.field.at(t) if self.field else np.full((self.side, self.side, 1), 255.0)
        for x, panel, trace, discs in zip(self.left, movie["panels"], self.traces, self.discs):
            stage = Image.fromarray(_dots(ground, panel, k, movie["box"], discs))
            stage.paste(self.axes, mask=self.axes)
            image.paste(stage, (x, self.top))
            draw.text((x, 32), _lost(panel, k), QUIET, self.small)
            if trace:
                image.paste(trace.at(k), (x, self.top + self.side + 28))
                value = panel["distance"][k]
                said = "" if value is None else number(value)
                draw.text((x + self.side, self.top + self.side + 6), said, TEXT, self.bold, anchor="ra")
        label = movie["acts"][self.acts[k]][0] if self.acts[k] >= 0 else ""
        same = [n for n, act in zip(movie["steps"], self.acts) if act == self.acts[k]]
        step = f"step {movie['steps'][k]} of {max(same)}" if max(same) else ""
        y = self.foot + 14
        for x, words in ((MARGIN, f"t = {t:.2f}"), (MARGIN + 110, step), (MARGIN + 290, label)):
            draw.text((x, y), words, TEXT, self.font)
        # Moves in every frame: encoders drop a picture that is its predecessor's twin.
        end = MARGIN + round((self.width - 2 * MARGIN) * (k + 1) / self.count)
        draw.rectangle((MARGIN, self.height - 10, self.width - MARGIN, self.height - 7), FAINT)
        draw.rectangle((MARGIN, self.height - 10, end, self.height - 7), "#00639c")
        return np.asarray(image)


def _font(size, weight=""):
    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans{weight}.ttf", size)


def _lost(panel, k) -> str:
    gone, outside = panel["diverged"][k], panel["outside"][k]
    said = [f"{gone} of {panel['count']} particles diverged" if gone else "", f"{outside} outside the view" if outside else ""]
    return ", ".join(filter(None, said))


def _axes(box, side, font) -> Image.Image:
    """Frame, ticks and their numbers on a transparent ground."""
    image = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, side - 1, side - 1), outline="#c3c7cc")
    for low, high, upright in ((*box[:2], False), (*box[2:], True)):
        for value, words in evenly(low, high, 4):
            at = (value - low) / (high - low) * side
            if not 24 <= at <= side - 24:
                continue
            halo = {"fill": QUIET, "font": font, "stroke_width": 2, "stroke_fill": "white"}
            if upright:
                draw.line((0, side - at, 5, side - at), QUIET)
                draw.text((9, side - at), words, anchor="lm", **halo)
            else:
                draw.line((at, side - 6, at, side - 1), QUIET)
                draw.text((at, side - 9), words, anchor="ms", **halo)
    return image


class _Field:
    """The density under the particles, between the times at which it is known."""

    @paper.settings()
    def __init__(self, density, side):
        self.times, self.drop, self.side, self.known = density["times"], density["drop"], side, {}
        self.figure = Figure(figsize=(side / DPI, side / DPI), dpi=DPI)
        self.canvas = FigureCanvasAgg(self.figure)
        self.ax = self.figure.add_axes((0, 0, 1, 1))
        self.ax.set_axis_off()
        self.ax.set(xlim=(0, 1), ylim=(0, 1))
        self.at_grid = np.linspace(0, 1, density["side"])

    def at(self, t) -> np.ndarray:
        """(side, side, 1) floats, 255 where nothing is."""
        if t not in self.known:
            self.known = {t: self._draw(t)}  # times run up and down: only the last one comes again
        return self.known[t]

    @paper.settings()
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
        fill = np.asarray(shade.resize((self.side, self.side), Image.Resampling.BICUBIC, box=inner))
        contours = self.ax.contour(self.at_grid, self.at_grid, drop, LEVELS, colors="0.66", linewidths=0.9)
        self.canvas.draw()
        contours.remove()
        lines = np.asarray(self.canvas.buffer_rgba())[..., :1]
        return lines * (1 - FILL * fill[..., None])


def _discs(count):
    """(radius, log(1 − cover) (PHASES², s, s)) of a particle; the more there are the smaller and fainter they are drawn."""
    share = min(1.0, (900 / count) ** 0.5)
    radius, alpha, sub = 1.4 + 1.2 * share, 0.45 + 0.3 * share, 4
    reach = int(np.ceil(radius + 0.5))
    fine = (np.arange((2 * reach + 1) * sub) + 0.5) / sub - reach
    stamps = []
    for py in range(PHASES):
        for px in range(PHASES):
            y, x = fine - (py + 0.5) / PHASES, fine - (px + 0.5) / PHASES
            inside = np.hypot(x, y[:, None]) < radius
            stamps.append(alpha * inside.reshape(2 * reach + 1, sub, -1, sub).mean(axis=(1, 3)))
    return reach, np.log1p(-np.array(stamps))


def _dots(ground, panel, k, box, discs) -> np.ndarray:
    """The particles of a frame over the ground, (side, side, 3) uint8."""
    side, (reach, stamps) = len(ground), discs
    where = (panel["positions"][k] - box[::2]) / np.subtract(box[1::2], box[::2]) * side
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
    clear, colour = np.exp(total[hit])[:, None], 255 * np.array(matplotlib.colors.to_rgb(panel["colours"][0]))
    picture = np.repeat(np.rint(ground).astype(np.uint8), 3, axis=2)
    picture[hit] = np.rint(ground[hit] * clear + colour * (1 - clear))
    return picture


class _Trace:
    """The distance so far: faint what is ahead, full what is behind the cursor."""

    def __init__(self, movie, panel, side):
        alike = [p for p in movie["panels"] if p["distance"] and p["label"] == panel["label"]]
        values = [v for p in alike for v in p["distance"] if v is not None]
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        if low > 0:  # four decades at most, as in the player
            low = max(low, 1e-4 * high)
        log = low > 0 and high > 10 * low
        self.low, self.high = (low / 1.15, high * 1.15) if log else (min(0.0, low), high * 1.05 if high > low else low + 1)
        said = panel["label"]
        self.label = (said[:-1] + ", log)" if said.endswith(")") else said + " (log)") if log else said
        y = np.maximum([np.nan if v is None else v for v in panel["distance"]], self.low)
        self.last, self.side, self.y = max(1, len(y) - 1), side, y
        ticks = decades(self.low, self.high) if log else evenly(self.low, self.high, 2)
        with paper.settings():
            figure = Figure(figsize=(side / DPI, TRACE / DPI), dpi=DPI)
            ax = figure.add_axes((52 / side, 0.08, 1 - 60 / side, 0.86))
            ax.set(xlim=(0, self.last), yscale="log" if log else "linear", ylim=(self.low, self.high))
            ax.set_yticks(*zip(*ticks[:: -(-len(ticks) // 4)])) if ticks else ax.set_yticks([])
            ax.set_yticks([], minor=True)
            ax.set_xticks([])
            ax.tick_params(length=0, labelcolor=QUIET)
            ax.spines[:].set_visible(False)
            ax.grid(color=FAINT, linewidth=0.7)
            for _, first in movie["acts"]:
                if first:
                    ax.axvline(first, color=NEUTRAL[0], linewidth=0.8, linestyle=(0, (2, 3)))
            # Clouds do not go from one act into the next, and neither does the line.
            cuts = [*(first for _, first in movie["acts"]), len(y)]
            own, lines = panel["colours"][0], []
            for a, b in pairwise(cuts):
                k = np.arange(a, b)[np.isfinite(y[a:b])]
                lines += ax.plot(k, y[k], color=own, linewidth=1.6, alpha=0.3, solid_capstyle="round")
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            self.ahead = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
            for line in lines:
                line.set_alpha(1)
            canvas.draw()
            self.behind = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
            self.place = ax.transData.transform(np.stack([np.arange(len(y)), np.where(np.isfinite(y), y, self.high)], 1))
        self.own = own

    def at(self, k) -> Image.Image:
        image, (x, y) = self.ahead.copy(), self.place[k]
        image.paste(self.behind.crop((0, 0, int(x), TRACE)))
        draw = ImageDraw.Draw(image)
        draw.line((x, 0, x, TRACE), TEXT)
        if np.isfinite(self.y[k]):
            draw.ellipse((x - 4, TRACE - y - 4, x + 4, TRACE - y + 4), self.own, "white")
        return image
