// Clouds of particles over a density, from a movie's bytes (dlab/figures/movie.py gives the layout) to 2-D canvases. What the player
// and Home's opening share; their scripts stand behind this one, in one module.

const MID = 21844, GONE = 65535;
// Drops of log p below its peak. A Gaussian in the plane holds 39, 63, 86, 95 and 99 % of its mass within them.
const LEVELS = [0.5, 1, 2, 3, 4.5];
const PEAK = LEVELS.map(d => Math.round(100 * Math.exp(-d)));
const EASE = 0.5; // seconds from which on a step rests at its ends, so that it is seen as one

function decode(data) {
  // A fresh copy, because typed arrays need an alignment that the message does not promise.
  const bytes = data.slice(), view = new DataView(bytes.buffer);
  const json = at => JSON.parse(new TextDecoder().decode(bytes.subarray(at + 8, at + 8 + view.getUint32(at + 4, true))));
  const options = json(0), start = 8 + view.getUint32(4, true), movie = json(start);
  const body = start + 8 + view.getUint32(start + 4, true);
  const points = (at, count) => new Uint16Array(bytes.buffer, body + at, 2 * count);
  // One array of codes per frame, from one part of the file per act.
  const frames = (cuts, offsets, count) => offsets.flatMap((at, i) =>
    Array.from({ length: cuts[i + 1] - cuts[i] }, (_, k) => points(at + 4 * k * count, count)));
  for (const rung of movie.rungs) {
    const F = rung.times.length, cuts = [...new Set([0, ...rung.acts.map(([, first]) => first), F])];
    rung.panels = movie.panels.map((shared, i) => {
      const own = rung.panels[i], tips = Object.entries(own.tips).map(([name, at]) => [name, frames(cuts, at, shared.followed)]);
      return { ...shared, ...own, frames: frames(cuts, own.at, shared.count), tips: Object.fromEntries(tips) };
    });
    clockwork(rung);
  }
  movie.followed = Math.min(...movie.panels.map(p => p.followed));
  const d = movie.density, a = movie.arrows, g = movie.ghost;
  if (g) {
    const many = Math.max(...movie.panels.map(p => p.followed));
    g.frames = frames([0, g.times.length], [g.at], many);
  }
  if (d) {
    d.codes = new Uint16Array(bytes.buffer, body + d.at, d.times.length * d.side ** 2);
    d.grid = new Float32Array(d.side ** 2);
    if (a) a.values = new Float32Array(bytes.buffer, body + a.at, d.times.length * a.count * 4);
  }
  return { options, movie };
}

// What follows from a rung's times, steps, clock and acts. A place in a movie is the share of it that is over, which stands for
// the same t at every step size.
function clockwork(rung) {
  const { times, steps, acts, panels, clock } = rung;
  rung.last = times.length - 1;
  rung.seconds = clock[rung.last] || 1;
  rung.shares = clock.map(s => s / rung.seconds);
  rung.starts = new Set(acts.map(([, first]) => first));
  rung.real = times.map((_, k) => panels.some(p => !p.real || p.real[k]));
  rung.actOf = times.map((_, k) => acts.findLastIndex(([, first]) => first <= k));
  const most = acts.map((_, i) => Math.max(...steps.filter((_, k) => rung.actOf[k] === i)));
  rung.stepText = steps.map((n, k) => {
    const N = rung.actOf[k] < 0 ? Math.max(...steps) : most[rung.actOf[k]];
    return N > 0 ? `step ${n} of ${N}` : "";
  });
  // The last frame up to each one, of its act, at which a panel's distance was measured.
  for (const p of panels) {
    let last = -1;
    p.known = times.map((_, k) => {
      if (rung.starts.has(k)) last = -1;
      if (p.distance && p.distance[k] !== null && p.measured[k] && (!p.real || p.real[k])) last = k;
      return last;
    });
  }
}

// Frame k at or before a place in a rung, the next one, how far between them particles are, and t, which runs evenly.
function frameAt({ times, clock, shares, starts, last }, place) {
  let k = 0;
  for (let high = last; k < high;) {
    const middle = (k + high + 1) >> 1;
    if (shares[middle] <= place + 1e-6) k = middle; else high = middle - 1;
  }
  const next = Math.min(k + 1, last), gap = shares[next] - shares[k];
  // The first frame of an act is a new cloud: nothing glides into it.
  const even = starts.has(next) || gap <= 0 ? 0 : Math.min(1, Math.max(0, (place - shares[k]) / gap));
  const f = clock[next] - clock[k] >= EASE ? even * even * (3 - 2 * even) : even;
  return { k, next, f, t: times[k] + even * (times[next] - times[k]) };
}

const fraction = h => (h < 1 && Math.abs(1 / h - Math.round(1 / h)) < 1e-9 ? `1/${Math.round(1 / h)}` : String(+h.toPrecision(3)));

const superscript = power => [...String(+power)].map(c => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("");

// Three significant digits; powers of ten below 1e-3 and above 1e5.
function number(v) {
  const size = Math.abs(v);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) {
    const [digits, power] = v.toExponential(2).split("e");
    return `${digits.replace("-", "−")}×10${superscript(power)}`;
  }
  return (size >= 100 ? v.toFixed(0) : v.toPrecision(3)).replace("-", "−");
}

// The theme's colours, where CSS variables do not reach: on canvases.
function ground(root) {
  const ctx = document.createElement("canvas").getContext("2d"), style = getComputedStyle(root);
  ctx.fillStyle = "#fff";
  ctx.fillStyle = style.getPropertyValue("--st-background-color").trim() || "#fff";
  const back = ctx.fillStyle, [r, g, b] = channels(back), dark = 0.3 * r + 0.6 * g + 0.1 * b < 128;
  return { dark, back, ink: dark ? 255 : 0, quiet: dark ? "#aab4be" : "#5b6570" };
}

const channels = hex => [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));

// ---- density ----

function bracket(times, t) {
  if (times.length === 1 || t <= times[0]) return [0, 0];
  const last = times.length - 1;
  if (t >= times[last]) return [last - 1, 1];
  const key = times.findIndex(v => v > t) - 1;
  return [key, (t - times[key]) / (times[key + 1] - times[key])];
}

function mix({ codes, grid, depth, times }, key, f) {
  const m = grid.length, a = key * m, b = times.length > 1 ? a + m : a, scale = depth / 65535;
  let peak = Infinity;
  for (let i = 0; i < m; i++) {
    const drop = (codes[a + i] + f * (codes[b + i] - codes[a + i])) * scale;
    grid[i] = drop;
    if (drop < peak) peak = drop;
  }
  for (let i = 0; i < m; i++) grid[i] -= peak;
}

function drawFill(ctx, density, ink) {
  const { grid, side } = density, { width, height } = ctx.canvas;
  density.tile ??= Object.assign(document.createElement("canvas"), { width: side, height: side });
  const small = density.tile.getContext("2d"), image = (density.image ??= small.createImageData(side, side)), px = image.data;
  for (let i = 0, at = 0; i < side; i++) {
    for (let j = 0, from = (side - 1 - i) * side; j < side; j++, at += 4) {
      px[at] = px[at + 1] = px[at + 2] = ink;
      px[at + 3] = 26 * Math.exp(-grid[from + j]);
    }
  }
  small.putImageData(image, 0, 0);
  // Grid nodes sit on the box's edge, pixels half a cell inside it.
  const dx = width / (side - 1), dy = height / (side - 1);
  ctx.drawImage(density.tile, -dx / 2, -dy / 2, width + dx, height + dy);
}

function contours(grid, side, ctx, width, height) {
  const X = [0, 0, 0, 0], Y = [0, 0, 0, 0], sx = width / (side - 1), sy = height / (side - 1), top = LEVELS.at(-1);
  for (let i = 0; i + 1 < side; i++) {
    for (let j = 0; j + 1 < side; j++) {
      const at = i * side + j, a = grid[at], b = grid[at + 1], c = grid[at + side + 1], d = grid[at + side];
      const low = Math.min(a, b, c, d), high = Math.max(a, b, c, d);
      if (low >= top) continue;
      for (const l of LEVELS) {
        if (l <= low || l > high) continue;
        let m = 0;
        if (a < l !== b < l) { X[m] = j + (l - a) / (b - a); Y[m++] = i; }
        if (b < l !== c < l) { X[m] = j + 1; Y[m++] = i + (l - b) / (c - b); }
        if (c < l !== d < l) { X[m] = j + (l - d) / (c - d); Y[m++] = i + 1; }
        if (d < l !== a < l) { X[m] = j; Y[m++] = i + (l - a) / (d - a); }
        // A saddle: the value in the middle says which corners belong together.
        const turn = m === 4 && (a + b + c + d) / 4 < l !== a < l ? 1 : 0;
        for (let s = 0; s < m; s += 2) {
          const u = s + turn, v = (s + 1 + turn) % m;
          ctx.moveTo(X[u] * sx, height - Y[u] * sy);
          ctx.lineTo(X[v] * sx, height - Y[v] * sy);
        }
      }
    }
  }
}

// The density at t, filled and with its contours.
function drawDensity(ctx, density, t, { ink, dark }, line) {
  const { width, height } = ctx.canvas, [key, f] = bracket(density.times, t);
  ctx.clearRect(0, 0, width, height);
  mix(density, key, f);
  drawFill(ctx, density, ink);
  ctx.lineWidth = line;
  ctx.strokeStyle = `rgba(${ink},${ink},${ink},${dark ? 0.42 : 0.34})`;
  ctx.beginPath();
  contours(density.grid, density.side, ctx, width, height);
  ctx.stroke();
}

// ---- particles ----

// The discs are added up in memory, five times faster than 2000 drawImage calls where no GPU draws the canvas.
// A disc's coverage, 0 to 255, for PHASES × PHASES positions of its centre within a pixel.
const PHASES = 4, SUB = 4;

function discs(r, alpha) {
  const side = 2 * Math.ceil(r + 0.5) + 1, mid = (side - 1) / 2, stamps = [];
  for (let phase = 0; phase < PHASES * PHASES; phase++) {
    const cx = mid + (phase % PHASES + 0.5) / PHASES, cy = mid + (Math.floor(phase / PHASES) + 0.5) / PHASES;
    const stamp = new Uint8Array(side * side);
    for (let i = 0; i < side * side * SUB * SUB; i++) {
      const cell = Math.floor(i / (SUB * SUB)), s = i % (SUB * SUB);
      const x = cell % side + (s % SUB + 0.5) / SUB, y = Math.floor(cell / side) + (Math.floor(s / SUB) + 0.5) / SUB;
      if (Math.hypot(x - cx, y - cy) < r) stamp[cell] += alpha * 255 / (SUB * SUB);
    }
    stamps.push(stamp);
  }
  return { side, mid, stamps };
}

function drawDots({ data, dots, ink, disc, image, words, bytes: px }, { k, next, f }) {
  const { width, height } = image, { frames, count } = data, { side, mid, stamps } = disc;
  const sx = width / MID, sy = height / MID, now = frames[k], then = frames[next];
  words.fill(ink);
  for (let i = 0; i < 2 * count; i += 2) {
    const xa = now[i], ya = now[i + 1];
    if (xa === GONE) continue;
    // On its way out a particle stays where it last was.
    const g = then[i] === GONE ? 0 : f;
    const x = (xa + g * (then[i] - xa) - MID) * sx, y = height - (ya + g * (then[i + 1] - ya) - MID) * sy;
    const left = Math.floor(x) - mid, top = Math.floor(y) - mid;
    if (left <= -side || top <= -side || left >= width || top >= height) continue;
    const stamp = stamps[Math.floor((y - Math.floor(y)) * PHASES) * PHASES + Math.floor((x - Math.floor(x)) * PHASES)];
    const i0 = Math.max(0, -left), i1 = Math.min(side, width - left), j1 = Math.min(side, height - top);
    for (let j = Math.max(0, -top); j < j1; j++) {
      for (let c = i0, at = 4 * ((top + j) * width + left + i0) + 3; c < i1; c++, at += 4) {
        const cover = stamp[j * side + c], was = px[at];
        px[at] = was + cover - ((was * cover + 127) * 257 >> 16);
      }
    }
  }
  dots.getContext("2d").putImageData(image, 0, 0);
}

// Sizes a panel's canvases { dots, others } to w × h CSS pixels and makes the discs of its particles.
function prepareDots(p, w, h, dpr, dark, scale) {
  for (const canvas of [p.dots, ...p.others]) {
    canvas.width = Math.round(w * dpr);
    canvas.height = Math.round(h * dpr);
  }
  const size = Math.min(1, Math.sqrt(900 / p.data.count));
  // Dark ground swallows what is faint.
  p.disc = discs((1.3 + 1.1 * size) * scale * dpr, 0.45 + 0.3 * size + (dark ? 0.2 : 0));
  p.image = p.dots.getContext("2d").createImageData(p.dots.width, p.dots.height);
  p.words = new Uint32Array(p.image.data.buffer);
  p.bytes = new Uint8Array(p.image.data.buffer);
  const [red, green, blue] = channels(p.colour);
  p.ink = red | green << 8 | blue << 16;
}

function lostText({ count, diverged, outside }, k) {
  return [diverged[k] && `${diverged[k]} of ${count} particles diverged`, outside[k] && `${outside[k]} outside the view`]
    .filter(Boolean).join(", ");
}

// ---- words and lines ----

function el(tag, className = "", parent = null) {
  const node = document.createElement(tag);
  node.className = className;
  parent?.append(node);
  return node;
}

function svg(parent, tag, attributes = {}, words = null) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (words !== null) node.textContent = words;
  parent.append(node);
  return node;
}

function text(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

// Labels at the ends of lines, [y, …] from their wanted heights so that none covers another; `gap` apart, within [low, high].
function apart(wanted, gap, low, high) {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b]), at = [...wanted];
  order.forEach((i, n) => { at[i] = Math.max(at[i], n ? at[order[n - 1]] + gap : low); });
  order.reverse().forEach((i, n) => { at[i] = Math.min(at[i], n ? at[order[n - 1]] - gap : high); });
  return at;
}

