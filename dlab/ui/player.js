// Plays a movie (dlab/figures/movie.py gives the byte layout) on 2-D canvases. Python hears nothing of it.

const MID = 21844, GONE = 65535;
// Drops of log p below its peak. A Gaussian in the plane holds 39, 63, 86, 95 and 99 % of its mass within them.
const LEVELS = [0.5, 1, 2, 3, 4.5];
const PEAK = LEVELS.map(d => Math.round(100 * Math.exp(-d)));
const NARROW = 600, GAP = 20, BESIDE = 210, BESIDE_MAX = 420;

const players = new WeakMap();

export default function mount({ parentElement, data }) {
  let player = players.get(parentElement);
  if (!player) players.set(parentElement, (player = new Player(parentElement.querySelector(".player"))));
  const call = player.show(data);
  // Streamlit may clean up an overtaken call after its successor has run: only the last one takes the player down.
  return () => {
    if (player.call !== call) return;
    player.stop.abort();
    players.delete(parentElement);
  };
}

function decode(data) {
  // A fresh copy, because typed arrays need an alignment that the message does not promise.
  const bytes = data.slice(), view = new DataView(bytes.buffer);
  const json = at => JSON.parse(new TextDecoder().decode(bytes.subarray(at + 8, at + 8 + view.getUint32(at + 4, true))));
  const options = json(0), start = 8 + view.getUint32(4, true), movie = json(start);
  const body = start + 8 + view.getUint32(start + 4, true), F = movie.times.length;
  for (const p of movie.panels) p.codes = new Uint16Array(bytes.buffer, body + p.at, F * p.count * 2);
  const d = movie.density, a = movie.arrows;
  if (d) {
    d.codes = new Uint16Array(bytes.buffer, body + d.at, d.times.length * d.side ** 2);
    d.grid = new Float32Array(d.side ** 2);
    if (a) a.values = new Float32Array(bytes.buffer, body + a.at, d.times.length * a.count * 4);
  }
  return { options, movie };
}

class Player {
  constructor(root) {
    this.root = root;
    this.call = 0;
    this.pos = 0;
    this.playing = this.loop = this.arrows = false;
    this.speed = 1;
    this.stop = new AbortController();
    this.part = Object.fromEntries(["panels", "bar", "scrub", "acts", "status", "state", "clock", "count", "act", "note", "spoken"]
      .map(name => [name, root.querySelector("." + name)]));
    this.range = root.querySelector("input");
    this.button = Object.fromEntries([...root.querySelectorAll("[data-do]")].map(b => [b.dataset.do, b]));
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.listen();
  }

  listen() {
    const on = (target, type, act) => target.addEventListener(type, act, { signal: this.stop.signal });
    const does = {
      play: () => this.toggle(), restart: () => this.seek(0), end: () => this.seek(this.last, true),
      back: () => this.step(-1), forward: () => this.step(1),
      loop: () => this.press("loop"), arrows: () => { this.press("arrows"); this.note(); this.layout(true); },
    };
    const keys = { " ": "play", ArrowLeft: "back", ArrowRight: "forward", Home: "restart", End: "end" };
    for (const [name, b] of Object.entries(this.button)) on(b, "click", does[name]);
    on(this.part.panels, "click", e => e.target.closest(".stage") && this.toggle());
    on(this.range, "input", () => this.seek(+this.range.value, true));
    on(this.root.querySelector("select"), "change", e => { this.speed = +e.target.value; });
    on(this.root, "keydown", e => {
      const name = keys[e.key], at = e.target.tagName;
      // The select keeps its own keys, and a focused button its space bar.
      if (!name || at === "SELECT" || (e.key === " " && at === "BUTTON") || e.ctrlKey || e.metaKey || e.altKey) return;
      e.preventDefault();
      does[name]();
    });
    const resized = new ResizeObserver(() => this.layout());
    resized.observe(this.root);
    on(this.stop.signal, "abort", () => { resized.disconnect(); this.playing = false; cancelAnimationFrame(this.waiting); });
    const watchPixels = () => {
      const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
      query.addEventListener("change", () => { this.layout(); watchPixels(); }, { once: true, signal: this.stop.signal });
    };
    watchPixels();
  }

  show(data) {
    const { options, movie } = decode(data);
    const same = this.movie?.id === movie.id;
    this.options = options;
    this.root.classList.toggle("presentation", options.presentation);
    if (!same) {
      this.movie = movie;
      this.build();
    }
    this.panels.forEach(p => p.dots.setAttribute("aria-label", [options.alt, p.data.name].filter(Boolean).join(": ")));
    this.paint();
    this.layout(true);
    if (!same) this.setPlaying(options.autoplay && !this.calm.matches);
    return ++this.call;
  }

  build() {
    const { movie, part } = this, F = movie.times.length;
    this.last = F - 1;
    this.pos = this.w = 0;
    // A whole movie takes about 12 s at 1×, a short one never less than half a second a step.
    this.rate = Math.min(30, Math.max(2, this.last / 12));
    this.starts = new Set(movie.acts.map(([, first]) => first));
    this.real = movie.times.map((_, k) => movie.panels.some(p => !p.real || p.real[k]));
    this.actOf = movie.times.map((_, k) => movie.acts.findLastIndex(([, first]) => first <= k));
    const most = movie.acts.map((_, i) => Math.max(...movie.steps.filter((_, k) => this.actOf[k] === i)));
    this.stepText = movie.steps.map((n, k) => {
      const N = this.actOf[k] < 0 ? Math.max(...movie.steps) : most[this.actOf[k]];
      return N > 0 ? `step ${n} of ${N}` : "";
    });
    this.panels = movie.panels.map((data, i) => panelElements(data, i));
    part.panels.replaceChildren(...this.panels.map(p => p.root));
    this.range.max = this.last;
    part.acts.replaceChildren(...movie.acts.map(([label, first], i) => {
      const next = movie.acts[i + 1]?.[1] ?? F, mark = el("button");
      mark.type = "button";
      mark.textContent = label;
      mark.title = `Go to the start of “${label}”`;
      mark.style.left = `${100 * first / Math.max(1, this.last)}%`;
      mark.style.maxWidth = `${100 * (next - first) / Math.max(1, this.last)}%`;
      mark.onclick = () => this.seek(first);
      return mark;
    }));
    this.button.arrows.hidden = !movie.arrows;
    this.note();
  }

  note() {
    const { movie: { density, arrows }, part } = this;
    part.note.textContent = [
      this.last && "Between steps the particles glide; only the steps are real.",
      density && `Lines: density at ${PEAK.join(", ")} % of its peak.`,
      arrows && this.arrows && "Arrows: the score, as long as the square root of its size.",
    ].filter(Boolean).join(" ");
  }

  // The theme's colours, where CSS variables do not reach: on the canvases.
  paint() {
    const ctx = this.panels[0].dots.getContext("2d"), style = getComputedStyle(this.root);
    const rgb = name => {
      ctx.fillStyle = "#fff";
      ctx.fillStyle = style.getPropertyValue(name).trim() || ctx.fillStyle;
      return ctx.fillStyle;
    };
    const light = hex => 0.3 * parseInt(hex.slice(1, 3), 16) + 0.6 * parseInt(hex.slice(3, 5), 16) + 0.1 * parseInt(hex.slice(5, 7), 16);
    this.dark = light(rgb("--st-background-color")) < 128;
    this.ink = this.dark ? 255 : 0;
    this.root.classList.toggle("dark", this.dark);
    for (const p of this.panels) {
      p.colour = p.data.colours[+this.dark];
      p.root.style.setProperty("--own", p.colour);
    }
  }

  layout(forced = false) {
    const width = this.root.clientWidth, state = [width, devicePixelRatio].join();
    if (width <= 0 || (!forced && state === this.laid)) return;
    this.laid = state;
    this.place(width);
    this.dpr = Math.min(devicePixelRatio, 2);
    for (const p of this.panels) {
      this.prepare(p);
      drawTrace(p, this);
    }
    this.fieldAt = null;
    this.draw();
  }

  // The stage takes what the words around it leave of the height asked for.
  place(width) {
    const { root, part, panels, options, movie } = this, { box } = movie, narrow = width < NARROW;
    const aspect = (box[1] - box[0]) / (box[3] - box[2]);
    root.classList.toggle("narrow", narrow);
    for (const p of panels.filter(p => p.trace)) {
      p.scale = distanceScale(panels, p);
      text(p.label, p.data.label + (p.scale.log ? " (log)" : ""));
    }
    const set = (w, side) => {
      this.w = Math.floor(Math.max(160, w));
      this.h = Math.round(this.w / aspect);
      root.dataset.mode = side ? "beside" : "under";
      root.style.setProperty("--w", `${this.w}px`);
      root.style.setProperty("--h", `${this.h}px`);
      root.style.setProperty("--side", `${Math.floor(side)}px`);
      root.style.setProperty("--tall", side ? `${Math.max(60, Math.min(220, 0.42 * this.h))}px` : "");
      panels.forEach(reserveLost);
    };
    reserve(part.status, [part.clock, [`t = ${longest(movie.times.map(t => t.toFixed(2)))}`]], [part.count, this.stepText],
      [part.act, movie.acts.map(([label]) => label)]);
    // A phone shows one cloud large, or several small ones at once, each with its facts beside it.
    if (narrow) return panels.length > 1 ? set(width * 0.54, width * 0.46 - 18) : set(width, 0);
    const room = options.height - part.bar.offsetHeight - part.status.offsetHeight - 16;
    const column = (width - GAP * (panels.length - 1)) / panels.length, beside = Math.min(column - BESIDE - 18, room * aspect);
    // How the words wrap depends on the width, so it takes a guess, a measurement and a correction.
    set(Math.min(column, 0.6 * room * aspect), 0);
    const under = Math.min(column, (room - this.words()) * aspect);
    if (beside > under) return set(beside, Math.min(BESIDE_MAX, column - beside - 18));
    set(under, 0);
    const excess = root.offsetHeight - options.height;
    if (excess > 0) set(under - excess * aspect, 0);
  }

  // Pixels that a panel's head and facts take above and below its stage.
  words() {
    return Math.max(...this.panels.map(p => p.head.offsetHeight + p.facts.offsetHeight));
  }

  prepare(p) {
    const { w, h, dpr, options, movie } = this;
    for (const canvas of [p.field, p.dots]) {
      canvas.width = Math.round(w * dpr);
      canvas.height = Math.round(h * dpr);
    }
    const size = Math.min(1, Math.sqrt(900 / p.data.count)), scale = (options.presentation ? 1.35 : 1) * (w < 260 ? 0.75 : 1);
    p.disc = discs((1.3 + 1.1 * size) * scale * dpr, 0.45 + 0.3 * size);
    p.image = p.dots.getContext("2d").createImageData(p.dots.width, p.dots.height);
    p.words = new Uint32Array(p.image.data.buffer);
    p.bytes = new Uint8Array(p.image.data.buffer);
    const [red, green, blue] = [1, 3, 5].map(i => parseInt(p.colour.slice(i, i + 2), 16));
    p.ink = red | green << 8 | blue << 16;
    axes(p.axes, movie.box, w, h);
  }

  toggle() { this.setPlaying(!this.playing); }

  press(name) {
    this[name] = !this[name];
    this.button[name].setAttribute("aria-pressed", this[name]);
  }

  setPlaying(playing) {
    if (playing && this.pos >= this.last) this.pos = 0;
    this.playing = playing && this.last > 0;
    this.before = null;
    cancelAnimationFrame(this.waiting);
    if (this.playing) this.waiting = requestAnimationFrame(now => this.tick(now));
    this.root.classList.toggle("playing", this.playing);
    this.button.play.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    this.part.state.textContent = this.playing ? "Playing" : "Paused";
    this.draw();
    this.part.spoken.textContent = this.where();
  }

  seek(pos, pause = false) {
    this.pos = Math.min(this.last, Math.max(0, pos));
    if (pause && this.playing) this.setPlaying(false);
    this.draw();
    this.range.setAttribute("aria-valuetext", this.where());
  }

  step(way) {
    const pos = Math.min(this.pos, this.last);
    let k = way > 0 ? Math.floor(pos) + 1 : Math.ceil(pos) - 1;
    while (k > 0 && k < this.last && !this.real[k]) k += way;
    this.seek(k, true);
    this.part.spoken.textContent = this.where();
  }

  tick(now) {
    // A tab that slept goes on where it stopped.
    const dt = Math.min(0.1, (now - (this.before ?? now)) / 1000);
    this.before = now;
    this.pos += dt * this.rate * this.speed;
    const rest = this.loop ? this.rate * this.speed : 0;
    if (this.pos > this.last + rest) {
      if (!this.loop) { this.pos = this.last; return this.setPlaying(false); }
      this.pos = 0;
    }
    this.draw();
    this.waiting = requestAnimationFrame(next => this.tick(next));
  }

  where() {
    const { state, clock, count, act } = this.part;
    return [state, clock, count, act].map(e => e.textContent).filter(Boolean).join(", ");
  }

  draw() {
    if (!this.w) return;
    const { movie, part } = this, pos = Math.min(this.pos, this.last), k = Math.floor(pos);
    const next = Math.min(k + 1, this.last);
    // The first frame of an act is a new cloud: nothing glides into it.
    const f = this.starts.has(next) ? 0 : pos - k;
    const t = movie.times[k] + f * (movie.times[next] - movie.times[k]);
    this.drawField(t);
    for (const p of this.panels) {
      drawDots(p, k, next, f, this);
      text(p.lost, lostText(p.data, k));
      moveTrace(p, pos, k, next, f);
    }
    this.range.value = pos;
    this.range.style.setProperty("--done", `${100 * pos / Math.max(1, this.last)}%`);
    text(part.clock, `t = ${t.toFixed(2)}`);
    text(part.count, this.stepText[k]);
    text(part.act, movie.acts[this.actOf[k]]?.[0] ?? "");
  }

  drawField(t) {
    const { density, arrows, box } = this.movie;
    if (!density || this.fieldAt === t) return;
    this.fieldAt = t;
    const [first, ...others] = this.panels, ctx = first.field.getContext("2d"), { width, height } = first.field;
    const { grid, side, times } = density, [key, f] = bracket(times, t);
    ctx.clearRect(0, 0, width, height);
    mix(density, key, f);
    drawFill(ctx, density, this.ink);
    ctx.lineWidth = this.dpr * (this.options.presentation ? 1.5 : 1);
    ctx.strokeStyle = `rgba(${this.ink},${this.ink},${this.ink},${this.dark ? 0.42 : 0.34})`;
    ctx.beginPath();
    contours(grid, side, ctx, width, height);
    ctx.stroke();
    if (arrows && this.arrows) {
      ctx.strokeStyle = `rgba(${this.ink},${this.ink},${this.ink},0.55)`;
      drawArrows(ctx, arrows, key, f, box);
    }
    // All panels share the law: one drawing, copied.
    for (const p of others) {
      const to = p.field.getContext("2d");
      to.clearRect(0, 0, width, height);
      to.drawImage(first.field, 0, 0);
    }
  }
}

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

function drawArrows(ctx, { values, count }, key, f, box) {
  const { width, height } = ctx.canvas, sx = width / (box[1] - box[0]), sy = height / (box[3] - box[2]);
  const a = key * count * 4, b = (key + 1) * count * 4 < values.length ? a + count * 4 : a;
  const at = (i, c) => values[a + 4 * i + c] + f * (values[b + 4 * i + c] - values[a + 4 * i + c]);
  let most = 1e-12;
  for (let i = 0; i < count; i++) most = Math.max(most, Math.hypot(at(i, 2), at(i, 3)));
  const reach = 0.62 * Math.sqrt(width * height / count);
  ctx.beginPath();
  for (let i = 0; i < count; i++) {
    const u = at(i, 2), v = at(i, 3), size = Math.hypot(u, v), l = reach * Math.sqrt(size / most);
    if (l < 1) continue;
    const x = (at(i, 0) - box[0]) * sx, y = height - (at(i, 1) - box[2]) * sy;
    const dx = l * u / size, dy = -l * v / size, X = x + dx, Y = y + dy;
    ctx.moveTo(x, y);
    ctx.lineTo(X, Y);
    ctx.moveTo(X - 0.3 * dx - 0.2 * dy, Y - 0.3 * dy + 0.2 * dx);
    ctx.lineTo(X, Y);
    ctx.lineTo(X - 0.3 * dx + 0.2 * dy, Y - 0.3 * dy - 0.2 * dx);
  }
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

function drawDots({ data, dots, ink, disc, image, words, bytes: px }, k, next, f) {
  const { width, height } = image, { codes, count } = data, { side, mid, stamps } = disc;
  const sx = width / MID, sy = height / MID, a = 2 * k * count, b = 2 * next * count;
  words.fill(ink);
  for (let i = 0; i < 2 * count; i += 2) {
    const xa = codes[a + i], ya = codes[a + i + 1];
    if (xa === GONE) continue;
    // On its way out a particle stays where it last was.
    const g = codes[b + i] === GONE ? 0 : f;
    const x = (xa + g * (codes[b + i] - xa) - MID) * sx, y = height - (ya + g * (codes[b + i + 1] - ya) - MID) * sy;
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

function lostText({ count, diverged, outside }, k) {
  return [diverged[k] && `${diverged[k]} of ${count} particles diverged`, outside[k] && `${outside[k]} outside the view`]
    .filter(Boolean).join(", ");
}

// ---- words, axes and traces ----

const longest = texts => texts.reduce((a, b) => b.length > a.length ? b : a, "");

// Room for the longest words, so that nothing jumps while they change.
function reserve(box, ...fills) {
  box.style.minHeight = "";
  for (const [node, texts] of fills) node.textContent = longest(texts);
  box.style.minHeight = `${box.offsetHeight}px`;
}

function reserveLost({ data, lost }) {
  const texts = data.diverged.map((_, k) => lostText(data, k));
  lost.hidden = !longest(texts);
  reserve(lost, [lost, texts]);
}

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

// Three significant digits, scientific only below 1e-3 and above 1e5.
function number(v) {
  const size = Math.abs(v);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return v.toExponential(2).replace("-", "−");
  return (size >= 100 ? v.toFixed(0) : v.toPrecision(3)).replace("-", "−");
}

function panelElements(data) {
  const root = el("figure", "panel"), head = el("div", "head", root), stage = el("div", "stage", root), facts = el("div", "facts", root);
  el("div", "name", head).textContent = data.name;
  const lost = el("div", "lost", head);
  const field = el("canvas", "field", stage), dots = el("canvas", "dots", stage), frame = svg(stage, "svg", { "aria-hidden": true });
  dots.setAttribute("role", "img");
  field.setAttribute("aria-hidden", "true");
  const panel = { data, root, head, facts, lost, field, dots, axes: frame };
  if (data.distance) {
    const caption = el("div", "caption", facts);
    panel.label = el("span", "label", caption);
    panel.value = el("span", "value", caption);
    panel.value.textContent = "\u00a0";
    panel.trace = svg(facts, "svg", { class: "trace", "aria-hidden": true });
  }
  return panel;
}

function ticks(low, high, want) {
  const rough = (high - low) / want, unit = 10 ** Math.floor(Math.log10(rough));
  const gap = unit * [1, 2, 5, 10].find(m => m * unit >= rough), list = [];
  for (let n = Math.ceil(low / gap); n * gap <= high; n++) list.push(+(n * gap).toPrecision(12));
  return list;
}

function axes(frame, [x0, x1, y0, y1], w, h) {
  frame.replaceChildren();
  svg(frame, "rect", { x: 0.5, y: 0.5, width: w - 1, height: h - 1, rx: 3 });
  const want = w < 260 ? 2 : 4, words = v => String(v).replace("-", "−");
  for (const v of ticks(x0, x1, want)) {
    const x = (v - x0) / (x1 - x0) * w;
    if (x < 24 || x > w - 24) continue;
    svg(frame, "line", { x1: x, x2: x, y1: h - 1, y2: h - 5 });
    svg(frame, "text", { x, y: h - 8, "text-anchor": "middle" }, words(v));
  }
  for (const v of ticks(y0, y1, want)) {
    const y = h - (v - y0) / (y1 - y0) * h;
    if (y < 24 || y > h - 24) continue;
    svg(frame, "line", { x1: 1, x2: 5, y1: y, y2: y });
    svg(frame, "text", { x: 8, y, dy: "0.35em" }, words(v));
  }
}

// Panels that measure the same thing share their scale, so that heights compare.
function distanceScale(panels, { data: { label } }) {
  const alike = panels.filter(p => p.data.distance && p.data.label === label);
  const values = alike.flatMap(p => p.data.distance).filter(v => v !== null);
  let low = Math.min(...values), high = Math.max(...values);
  const log = low > 0 && high > 10 * low;
  if (log) { low /= 1.15; high *= 1.15; } else { low = Math.min(0, low); high = high > low ? high * 1.05 : low + 1; }
  const to = log ? Math.log : v => v;
  return { log, low, high, at: v => (to(v) - to(low)) / (to(high) - to(low)) };
}

function logTicks(low, high) {
  const list = [];
  for (let e = Math.floor(Math.log10(low)); 10 ** e <= high; e++) for (const m of [1, 2, 5]) list.push(+(m * 10 ** e).toPrecision(3));
  const inside = list.filter(v => v >= low && v <= high), decades = inside.filter(v => Number.isInteger(Math.round(1e9 * Math.log10(v)) / 1e9));
  const some = decades.length > 1 ? decades : inside, skip = Math.ceil(some.length / 3);
  return some.filter((_, i) => i % skip === 0);
}

const INDENT = 38, END = 8;

function drawTrace(panel, { last, movie, options }) {
  const { trace, data, scale } = panel;
  if (!trace) return;
  trace.replaceChildren();
  const { width, height } = trace.getBoundingClientRect(), inner = width - INDENT - END;
  const x = k => INDENT + inner * k / Math.max(1, last), y = v => height - 6 - (height - 12) * scale.at(v);
  for (const v of scale.log ? logTicks(scale.low, scale.high) : ticks(scale.low, scale.high, 2)) {
    svg(trace, "line", { class: "grid", x1: INDENT, x2: width, y1: y(v), y2: y(v) });
    svg(trace, "text", { x: INDENT - 6, y: y(v), dy: "0.35em", "text-anchor": "end" }, String(v));
  }
  for (const [, first] of movie.acts) {
    if (first > 0) svg(trace, "line", { class: "border", x1: x(first), x2: x(first), y1: 2, y2: height - 2 });
  }
  let path = "", open = false, dots = "";
  const real = data.distance.map((v, k) => v !== null && (!data.real || data.real[k]));
  const roomy = inner / Math.max(1, real.filter(Boolean).length) > 8;
  data.distance.forEach((v, k) => {
    if (movie.acts.some(([, first]) => first === k)) open = false;
    if (v === null) { open = false; return; }
    path += `${open ? "L" : "M"}${x(k).toFixed(1)} ${y(v).toFixed(1)}`;
    open = true;
    if (real[k] && roomy) dots += `M${x(k) - 2} ${y(v)}a2 2 0 1 0 4 0a2 2 0 1 0 -4 0`;
  });
  svg(trace, "path", { class: "ahead", d: path });
  panel.past = svg(trace, "svg", { x: 0, y: 0, height, width: 0, overflow: "hidden" });
  svg(panel.past, "path", { d: path });
  svg(panel.past, "path", { class: "steps", d: dots });
  panel.cursor = svg(trace, "line", { class: "cursor", y1: 0, y2: height });
  panel.here = svg(trace, "circle", { class: "here", r: options.presentation ? 6 : 4.5 });
  panel.x = x;
  panel.y = y;
}

function moveTrace(panel, pos, k, next, f) {
  if (!panel.trace) return;
  const now = panel.data.distance[k], then = panel.data.distance[next], x = panel.x(pos);
  panel.past.setAttribute("width", x);
  panel.cursor.setAttribute("x1", x);
  panel.cursor.setAttribute("x2", x);
  panel.here.style.display = now === null ? "none" : "";
  if (now !== null) {
    panel.here.setAttribute("cx", x);
    panel.here.setAttribute("cy", panel.y(now) + (then === null ? 0 : f * (panel.y(then) - panel.y(now))));
  }
  text(panel.value, now === null ? "\u00a0" : number(now));
}
