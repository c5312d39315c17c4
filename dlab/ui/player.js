// Plays a movie (dlab/figures/movie.py gives the byte layout) on 2-D canvases. Python hears nothing of it.

const MID = 21844, GONE = 65535;
// Drops of log p below its peak. A Gaussian in the plane holds 39, 63, 86, 95 and 99 % of its mass within them.
const LEVELS = [0.5, 1, 2, 3, 4.5];
const PEAK = LEVELS.map(d => Math.round(100 * Math.exp(-d)));
const NARROW = 600, GAP = 20, BESIDE = 210, BESIDE_MAX = 420, TALLEST = 1000;

const players = new WeakMap();

export default function mount({ parentElement, data, setTriggerValue }) {
  let player = players.get(parentElement);
  if (!player) players.set(parentElement, (player = new Player(parentElement.querySelector(".player"))));
  player.tell = setTriggerValue;
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

// What follows from a rung's times, steps and acts.
function clockwork(rung) {
  const { times, steps, acts, panels } = rung;
  rung.last = times.length - 1;
  rung.starts = new Set(acts.map(([, first]) => first));
  rung.real = times.map((_, k) => panels.some(p => !p.real || p.real[k]));
  rung.actOf = times.map((_, k) => acts.findLastIndex(([, first]) => first <= k));
  const most = acts.map((_, i) => Math.max(...steps.filter((_, k) => rung.actOf[k] === i)));
  rung.stepText = steps.map((n, k) => {
    const N = rung.actOf[k] < 0 ? Math.max(...steps) : most[rung.actOf[k]];
    return N > 0 ? `step ${n} of ${N}` : "";
  });
}

// Frame k at or before a place in a rung, the next one, how far between them, and t there.
function frameAt({ times, starts, last }, pos) {
  const k = Math.floor(Math.min(pos, last)), next = Math.min(k + 1, last);
  // The first frame of an act is a new cloud: nothing glides into it.
  const f = starts.has(next) ? 0 : Math.min(pos, last) - k;
  return { k, next, f, t: times[k] + f * (times[next] - times[k]) };
}

// The place in rung `to` that has the act and the time of a place in rung `from`.
function carry(from, to, pos) {
  if (from === to) return pos;
  const { k, t } = frameAt(from, pos), act = from.actOf[k];
  const first = Math.max(0, to.actOf.indexOf(act)), end = Math.max(first, to.actOf.lastIndexOf(act));
  const way = Math.sign(to.times[end] - to.times[first]);
  let n = first;
  while (n < end && way * (to.times[n + 1] - t) <= 0) n++;
  return n < end ? n + Math.max(0, (t - to.times[n]) / (to.times[n + 1] - to.times[n])) : n;
}

const fraction = h => (h < 1 && Math.abs(1 / h - Math.round(1 / h)) < 1e-9 ? `1/${Math.round(1 / h)}` : String(+h.toPrecision(3)));

class Player {
  constructor(root) {
    this.root = root;
    this.call = 0;
    this.pos = 0;
    this.playing = this.loop = this.arrows = false;
    this.followed = this.over = null;
    this.speed = 1;
    this.stop = new AbortController();
    this.part = Object.fromEntries(["panels", "bar", "acts", "sizes", "size", "why", "status", "state", "clock", "count", "act", "note", "apart", "spoken"]
      .map(name => [name, root.querySelector("." + name)]));
    this.range = root.querySelector(".scrub input");
    this.ladder = root.querySelector(".sizes input");
    this.button = Object.fromEntries([...root.querySelectorAll("[data-do]")].map(b => [b.dataset.do, b]));
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.listen();
  }

  listen() {
    const on = (target, type, act) => target.addEventListener(type, act, { signal: this.stop.signal });
    const does = {
      play: () => this.toggle(), restart: () => this.seek(0), end: () => this.seek(this.own.last, true),
      back: () => this.step(-1), forward: () => this.step(1),
      loop: () => this.press("loop"), arrows: () => { this.press("arrows"); this.note(); this.layout(true); },
      follow: e => this.next(e.shiftKey ? -1 : 1), release: () => this.follow(null),
      adopt: () => this.tell?.("h", this.rung.h),
    };
    const keys = { " ": "play", ArrowLeft: "back", ArrowRight: "forward", Home: "restart", End: "end", p: "follow", P: "follow", Escape: "release" };
    for (const [name, b] of Object.entries(this.button)) on(b, "click", does[name]);
    on(this.part.panels, "click", e => this.click(e));
    for (const type of ["pointermove", "pointerleave"]) {
      on(this.part.panels, type, e => {
        const over = e.pointerType === "mouse" && e.type === "pointermove" ? e.target.closest(".stage") : null;
        if (over === this.over) return;
        this.over = over;
        this.draw();
      });
    }
    on(this.ladder, "input", () => this.climb(this.movie.rungs[+this.ladder.value]));
    on(this.range, "input", () => this.seek(+this.range.value, true));
    on(this.root.querySelector("select"), "change", e => { this.speed = +e.target.value; });
    const press = e => {
      const name = keys[e.key], at = e.target.tagName;
      // The select and the step size keep their own keys, and a focused button its space bar.
      if (!name || at === "SELECT" || (e.target === this.ladder && /Arrow|Home|End/.test(e.key))) return;
      if ((e.key === " " && at === "BUTTON") || (name === "release" && this.followed === null)) return;
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      e.preventDefault();
      does[name](e);
    };
    on(this.root, "keydown", press);
    // Who has just opened the page, or clicked on its ground, has put the focus nowhere: the keys are the player's, unless it is
    // scrolled away. Who came to the ground by Tab scrolls it.
    let tabbed = false;
    on(document, "pointerdown", () => { tabbed = false; });
    on(document, "keydown", e => {
      if (e.key === "Tab") tabbed = true;
      const { top, bottom } = this.root.getBoundingClientRect(), middle = (top + bottom) / 2;
      const ground = !tabbed && e.target.matches?.("main");
      if (e.defaultPrevented || !(ground || e.target === document.body) || middle < 0 || middle > innerHeight) return;
      press(e);
      if (ground && e.defaultPrevented) this.root.focus({ preventScroll: true });
    });
    const resized = new ResizeObserver(() => this.layout());
    resized.observe(this.root);
    on(window, "resize", () => this.layout());
    on(this.stop.signal, "abort", () => { resized.disconnect(); this.playing = false; cancelAnimationFrame(this.waiting); });
    const watchPixels = () => {
      const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
      query.addEventListener("change", () => { this.layout(); watchPixels(); }, { once: true, signal: this.stop.signal });
    };
    watchPixels();
  }

  show(data) {
    const { options, movie } = decode(data), before = this.movie, same = before?.id === movie.id;
    const own = movie.rungs[movie.own], held = same && this.own.h === own.h && movie.rungs.find(r => r.h === this.rung.h);
    this.options = options;
    this.root.classList.toggle("presentation", options.presentation);
    if (same) this.pos = carry(this.own, own, this.pos);
    Object.assign(this, { movie, own, rung: held || own });
    if (!same) this.build();
    this.panels.forEach((p, i) => p.dots.setAttribute("aria-label", [options.alt, movie.panels[i].name].filter(Boolean).join(": ")));
    this.offer();
    this.climb(this.rung);
    this.paint();
    this.layout(true);
    if (!same) this.setPlaying(options.autoplay && !this.calm.matches);
    return ++this.call;
  }

  build() {
    const { movie, own, part } = this;
    this.pos = this.w = 0;
    this.followed = null;
    this.panels = movie.panels.map((_, i) => panelElements(own.panels[i]));
    part.panels.replaceChildren(...this.panels.map(p => p.root));
    this.button.arrows.hidden = !movie.arrows;
  }

  // The clock and the scrub bar are those of the page's own step size, whichever is shown.
  offer() {
    const { movie, own, part, options, ladder } = this, many = movie.rungs.length > 1;
    // A whole movie takes about 12 s at 1×, a short one never less than half a second a step.
    this.rate = Math.min(30, Math.max(2, own.last / 12));
    this.range.max = own.last;
    part.acts.replaceChildren(...own.acts.map(([label, first], i) => {
      const next = own.acts[i + 1]?.[1] ?? own.last + 1, mark = el("button");
      mark.type = "button";
      mark.textContent = label;
      mark.title = `Go to the start of “${label}”`;
      mark.style.left = `${100 * first / Math.max(1, own.last)}%`;
      mark.style.maxWidth = `${100 * (next - first) / Math.max(1, own.last)}%`;
      mark.onclick = () => this.seek(first);
      return mark;
    }));
    part.sizes.hidden = !options.live || !(many || options.waiting);
    ladder.disabled = !many;
    ladder.max = Math.max(1, movie.rungs.length - 1);
    part.sizes.title = many ? "Step size h: the same particles on the same Brownian path" : "";
    text(part.why, many ? "" : options.waiting);
  }

  // Shows another step size at the same t; whatever plays goes on.
  climb(rung) {
    const { movie, own, part, options, ladder } = this, apart = rung !== own, h = rung.h === null ? "" : fraction(rung.h);
    this.rung = rung;
    this.panels.forEach((p, i) => { p.data = rung.panels[i]; });
    ladder.value = movie.rungs.length > 1 ? movie.rungs.indexOf(rung) : 0;
    ladder.setAttribute("aria-valuetext", ladder.disabled ? options.waiting : `h = ${h}`);
    text(part.size, h && `h = ${h}`);
    part.apart.hidden = !apart;
    part.note.hidden = apart;
    this.button.adopt.hidden = !options.adopt;
    if (apart) {
      text(part.apart.firstElementChild, `The page’s numbers are for h = ${fraction(own.h)}.`);
      text(this.button.adopt, `Make it h = ${h}`);
    }
    this.note();
    this.panels.forEach(p => { drawTrace(p, this); reserveLost(p); });
    this.draw();
  }

  note() {
    const { movie: { density, arrows, ghost }, part, followed, options } = this, room = options.presentation;
    const words = followed !== null
      ? [`Particle ${followed + 1}, on the same Brownian path everywhere.`, ghost && "Grey: its exact path.", "Esc lets it go."]
      : [!room && this.own.last && "Between steps the particles glide; only the steps are real.",
        !room && density && `Lines: density at ${PEAK.join(", ")} % of its peak.`, this.movie.followed && "Click a particle to follow it."];
    part.note.textContent = [...words, arrows && this.arrows && "Arrows: the score, as long as the square root of its size."].filter(Boolean).join(" ");
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
    this.back = rgb("--st-background-color");
    this.quiet = this.dark ? "#aab4be" : "#5b6570";
    this.root.classList.toggle("dark", this.dark);
    for (const p of this.panels) {
      p.colour = p.data.colours[+this.dark];
      p.root.style.setProperty("--own", p.colour);
    }
  }

  layout(forced = false) {
    const width = this.root.clientWidth, state = [width, this.tall(), devicePixelRatio].join();
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

  // The height asked for, or more where the window has room for it.
  tall() {
    const { height, above } = this.options;
    return above === null ? height : Math.min(TALLEST, Math.max(height, innerHeight - above));
  }

  // The stage takes what the words around it leave of the player's height.
  place(width) {
    const { root, part, panels, movie, own } = this, tall = this.tall(), { box } = movie, narrow = width < NARROW;
    const aspect = (box[1] - box[0]) / (box[3] - box[2]);
    root.classList.toggle("narrow", narrow);
    for (const p of panels.filter(p => p.trace)) {
      p.scale = distanceScale(movie.rungs, p);
      text(p.label, p.scale.log ? p.data.label.replace(/\)?$/, end => (end ? ", log)" : " (log)")) : p.data.label);
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
    reserve(part.status, [part.clock, [`t = ${longest(own.times.map(t => t.toFixed(2)))}`]],
      [part.count, movie.rungs.flatMap(r => r.stepText)], [part.act, own.acts.map(([label]) => label)]);
    // A phone shows one cloud large, or several small ones at once, each with its facts beside it.
    if (narrow) return panels.length > 1 ? set(width * 0.54, width * 0.46 - 18) : set(width, 0);
    const room = tall - part.bar.offsetHeight - part.status.offsetHeight - 16;
    const column = (width - GAP * (panels.length - 1)) / panels.length, beside = Math.min(column - BESIDE - 18, room * aspect);
    // How the words wrap depends on the width, so it takes a guess, a measurement and a correction.
    set(Math.min(column, 0.6 * room * aspect), 0);
    const under = Math.min(column, (room - this.words()) * aspect);
    if (beside > under) return set(beside, Math.min(BESIDE_MAX, column - beside - 18));
    set(under, 0);
    const excess = root.offsetHeight - tall;
    if (excess > 0) set(under - excess * aspect, 0);
  }

  // Pixels that a panel's head and facts take above and below its stage.
  words() {
    return Math.max(...this.panels.map(p => p.head.offsetHeight + p.facts.offsetHeight));
  }

  prepare(p) {
    const { w, h, dpr, options, movie } = this;
    for (const canvas of [p.field, p.dots, p.over]) {
      canvas.width = Math.round(w * dpr);
      canvas.height = Math.round(h * dpr);
    }
    const size = Math.min(1, Math.sqrt(900 / p.data.count)), scale = (options.presentation ? 1.35 : 1) * (w < 260 ? 0.75 : 1);
    // Dark ground swallows what is faint.
    p.disc = discs((1.3 + 1.1 * size) * scale * dpr, 0.45 + 0.3 * size + (this.dark ? 0.2 : 0));
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
    if (playing && this.pos >= this.own.last) this.pos = 0;
    this.playing = playing && this.own.last > 0;
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
    this.pos = Math.min(this.own.last, Math.max(0, pos));
    if (pause && this.playing) this.setPlaying(false);
    this.draw();
    this.range.setAttribute("aria-valuetext", this.where());
  }

  step(way) {
    const { own, rung } = this, here = carry(own, rung, Math.min(this.pos, own.last)), pos = Math.round(1e6 * here) / 1e6;
    let k = way > 0 ? Math.floor(pos) + 1 : Math.ceil(pos) - 1;
    while (k > 0 && k < rung.last && !rung.real[k]) k += way;
    this.seek(carry(rung, own, Math.min(rung.last, Math.max(0, k))), true);
    this.part.spoken.textContent = this.where();
  }

  tick(now) {
    // A tab that slept goes on where it stopped.
    const dt = Math.min(0.1, (now - (this.before ?? now)) / 1000);
    this.before = now;
    this.pos += dt * this.rate * this.speed;
    const rest = this.loop ? this.rate * this.speed : 0;
    if (this.pos > this.own.last + rest) {
      if (!this.loop) { this.pos = this.own.last; return this.setPlaying(false); }
      this.pos = 0;
    }
    this.draw();
    this.waiting = requestAnimationFrame(next => this.tick(next));
  }

  where() {
    const { state, clock, count, act } = this.part;
    return [state, clock, count, act].map(e => e.textContent).filter(Boolean).join(", ");
  }

  // ---- one particle ----

  click(e) {
    const stage = e.target.closest(".stage"), panel = this.panels.find(p => p.stage === stage);
    if (!panel) return;
    const box = stage.getBoundingClientRect(), x = e.clientX - box.left, y = e.clientY - box.top;
    const frame = this.frame(), places = Array.from({ length: this.movie.followed }, (_, i) => place(panel.data, frame, i, this.w, this.h));
    const far = places.map(at => (at ? Math.hypot(at[0] - x, at[1] - y) : Infinity)), near = far.indexOf(Math.min(...far));
    if (far[near] <= REACH) this.follow(near === this.followed ? null : near);
    else if (this.followed !== null) this.follow(null);
    else this.toggle();
  }

  next(way) {
    const many = this.movie.followed;
    if (many) this.follow(this.followed === null ? (way > 0 ? 0 : many - 1) : (this.followed + way + many) % many);
  }

  follow(i) {
    this.followed = i;
    this.root.classList.toggle("following", i !== null);
    this.note();
    this.draw();
    this.part.spoken.textContent = i === null ? "No particle is followed" : `Following particle ${i + 1} of ${this.movie.followed}`;
  }

  frame() { return frameAt(this.rung, carry(this.own, this.rung, Math.min(this.pos, this.own.last))); }

  draw() {
    if (!this.w) return;
    const { rung, own, part } = this, pos = Math.min(this.pos, own.last), frame = this.frame(), { k, t } = frame;
    this.drawField(t);
    for (const p of this.panels) {
      drawDots(p, frame);
      drawOver(p, frame, this);
      text(p.lost, lostText(p.data, k));
      moveTrace(p, pos, frame);
    }
    this.range.value = pos;
    this.range.style.setProperty("--done", `${100 * pos / Math.max(1, own.last)}%`);
    text(part.clock, `t = ${t.toFixed(2)}`);
    text(part.count, rung.stepText[k]);
    text(part.act, rung.acts[rung.actOf[k]]?.[0] ?? "");
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

function lostText({ count, diverged, outside }, k) {
  return [diverged[k] && `${diverged[k]} of ${count} particles diverged`, outside[k] && `${outside[k]} outside the view`]
    .filter(Boolean).join(", ");
}

// ---- the followed particle ----

const REACH = 28; // px from a click to the particle that it picks

// Pixels of point i of a frame's codes, null where it is gone.
function point(codes, i, w, h) {
  return codes[2 * i] === GONE ? null : [(codes[2 * i] / MID - 1) * w, (2 - codes[2 * i + 1] / MID) * h];
}

function between(a, b, f) {
  return a && b ? [a[0] + f * (b[0] - a[0]), a[1] + f * (b[1] - a[1])] : a;
}

const place = ({ frames }, { k, next, f }, i, w, h) => between(point(frames[k], i, w, h), point(frames[next], i, w, h), f);

function drawOver(panel, frame, player) {
  const { over, data } = panel, { w, h, dpr, followed, movie } = player, ctx = over.getContext("2d");
  const hovered = player.over === panel.stage && movie.followed > 0;
  if (!hovered && followed === null && !panel.inked) return;
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
  ctx.clearRect(0, 0, w, h);
  panel.inked = hovered || followed !== null;
  ctx.lineCap = ctx.lineJoin = "round";
  if (hovered) {
    ctx.strokeStyle = player.quiet;
    ctx.lineWidth = 1.25;
    ctx.beginPath();
    for (let i = 0; i < movie.followed; i++) {
      const at = place(data, frame, i, w, h);
      if (at) ring(ctx, at, 5);
    }
    ctx.stroke();
  }
  if (followed !== null) drawFollowed(ctx, panel, frame, player);
}

function ring(ctx, [x, y], r) {
  ctx.moveTo(x + r, y);
  ctx.arc(x, y, r, 0, 2 * Math.PI);
}

function line(ctx, points) {
  ctx.beginPath();
  let open = false;
  for (const at of points) {
    if (at) ctx[open ? "lineTo" : "moveTo"](...at);
    open = Boolean(at);
  }
  ctx.stroke();
}

function drawFollowed(ctx, { data, colour }, frame, player) {
  const { followed: i, w, h, rung, movie, options } = player, { k, t } = frame, large = options.presentation ? 1.4 : w < 260 ? 0.8 : 1;
  const at = place(data, frame, i, w, h), act = rung.actOf[k], { ghost } = movie;
  const first = Math.max(0, rung.actOf.indexOf(act)), size = 5 * large;
  if (ghost && act === rung.actOf.at(-1)) {
    const past = ghost.times.findLastIndex(time => time >= t), there = ghost.times.slice(0, past + 1).map((_, n) => point(ghost.frames[n], i, w, h));
    const [a, b] = [ghost.times[past], ghost.times[past + 1] ?? ghost.times[past]];
    const now = past < 0 ? null : between(there[past], point(ghost.frames[Math.min(past + 1, ghost.frames.length - 1)], i, w, h), a > b ? (a - t) / (a - b) : 0);
    ctx.strokeStyle = player.quiet;
    ctx.lineWidth = 1.25 * large;
    line(ctx, [...there, now]);
    if (now) {
      ctx.lineWidth = 2 * large;
      ctx.beginPath();
      ring(ctx, now, size + 2 * large);
      ctx.stroke();
    }
  }
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2.25 * large;
  line(ctx, [...data.frames.slice(first, k + 1).map(codes => point(codes, i, w, h)), at]);
  if (!at) return;
  ctx.beginPath();
  ring(ctx, at, size);
  ctx.fillStyle = colour;
  ctx.strokeStyle = player.back;
  ctx.lineWidth = 2 * large;
  ctx.stroke();
  ctx.fill();
  drawStep(ctx, data, frame, player, large);
}

// The parts of the step that is being taken, head to tail, each with its name beside it.
function drawStep(ctx, { frames, tips }, { k }, { followed: i, w, h, movie, dark, back, options }, large) {
  let from = point(frames[k], i, w, h);
  const begin = from, words = [];
  for (const [name, colours] of Object.entries(movie.parts)) {
    const to = from && tips[name] && point(tips[name][k], i, w, h), colour = colours[+dark];
    if (!to) continue;
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = 2 * large;
    if (name === "midpoint") {
      ctx.beginPath();
      ring(ctx, to, 5 * large);
      ctx.stroke();
      // A dot inside tells it from the ring of the exact path.
      ctx.beginPath();
      ring(ctx, to, 1.75 * large);
      ctx.fill();
      words.push([name, colour, to[0] + 9 * large, to[1], "left"]);
      continue;
    }
    const dx = to[0] - from[0], dy = to[1] - from[1], length = Math.hypot(dx, dy);
    if (length > 2) {
      arrow(ctx, from, to, Math.min(9 * large, 0.6 * length));
      // On the side that the rest of the step leaves free.
      const side = Math.sign(dx * (begin[1] - to[1]) - dy * (begin[0] - to[0]) || 1) * (from === begin ? -1 : 1);
      const u = side * dy / length, v = -side * dx / length;
      if (length > 10) words.push([name, colour, (from[0] + to[0]) / 2 + 9 * large * u, (from[1] + to[1]) / 2 + 9 * large * v, u < -0.3 ? "right" : u > 0.3 ? "left" : "center"]);
    }
    from = to;
  }
  ctx.font = `600 ${options.presentation ? 17 : 12}px sans-serif`;
  ctx.textBaseline = "middle";
  ctx.strokeStyle = back;
  ctx.lineWidth = 3.5;
  for (const [name, colour, x, y, align] of words) {
    ctx.textAlign = align;
    ctx.strokeText(name, x, y);
    ctx.fillStyle = colour;
    ctx.fillText(name, x, y);
  }
}

function arrow(ctx, [x, y], [X, Y], head) {
  const angle = Math.atan2(Y - y, X - x), corner = turn => [X - head * Math.cos(angle + turn), Y - head * Math.sin(angle + turn)];
  line(ctx, [[x, y], [X, Y]]);
  ctx.beginPath();
  ctx.moveTo(X, Y);
  ctx.lineTo(...corner(0.45));
  ctx.lineTo(...corner(-0.45));
  ctx.closePath();
  ctx.fill();
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
  const field = el("canvas", "field", stage), dots = el("canvas", "dots", stage), over = el("canvas", "over", stage), frame = svg(stage, "svg", { "aria-hidden": true });
  dots.setAttribute("role", "img");
  for (const canvas of [field, over]) canvas.setAttribute("aria-hidden", "true");
  const panel = { data, root, head, stage, facts, lost, field, dots, over, axes: frame };
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

// Panels that measure the same thing share their scale, at all step sizes, so that heights compare.
function distanceScale(rungs, { data: { label } }) {
  const alike = rungs.flatMap(r => r.panels).filter(p => p.distance && p.label === label);
  const values = alike.flatMap(p => p.distance).filter(v => v !== null);
  let high = Math.max(...values), low = Math.min(...values);
  // Four decades at most: the distance of two laws that start equal is rounding.
  if (low > 0) low = Math.max(low, 1e-4 * high);
  const log = low > 0 && high > 10 * low;
  if (log) { low /= 1.15; high *= 1.15; } else { low = Math.min(0, low); high = high > low ? high * 1.05 : low + 1; }
  const to = log ? Math.log : v => v;
  return { log, low, high, at: v => (to(Math.max(v, low)) - to(low)) / (to(high) - to(low)) };
}

function logTicks(low, high) {
  const list = [];
  for (let e = Math.floor(Math.log10(low)); 10 ** e <= high; e++) for (const m of [1, 2, 5]) list.push(+(m * 10 ** e).toPrecision(3));
  const inside = list.filter(v => v >= low && v <= high), decades = inside.filter(v => Number.isInteger(Math.round(1e9 * Math.log10(v)) / 1e9));
  const some = decades.length > 1 ? decades : inside, skip = Math.ceil(some.length / 3);
  return some.filter((_, i) => i % skip === 0);
}

const INDENT = 38, END = 8;

function drawTrace(panel, { own, rung, options }) {
  const { trace, data, scale } = panel;
  if (!trace || !scale) return;
  trace.replaceChildren();
  const { width, height } = trace.getBoundingClientRect(), inner = width - INDENT - END;
  const x = pos => INDENT + inner * pos / Math.max(1, own.last), y = v => height - 6 - (height - 12) * scale.at(v);
  for (const v of scale.log ? logTicks(scale.low, scale.high) : ticks(scale.low, scale.high, 2)) {
    svg(trace, "line", { class: "grid", x1: INDENT, x2: width, y1: y(v), y2: y(v) });
    svg(trace, "text", { x: INDENT - 6, y: y(v), dy: "0.35em", "text-anchor": "end" }, String(v));
  }
  for (const [, first] of own.acts) {
    if (first > 0) svg(trace, "line", { class: "border", x1: x(first), x2: x(first), y1: 2, y2: height - 2 });
  }
  let path = "", open = false, dots = "";
  const real = data.distance.map((v, k) => v !== null && data.measured[k] && (!data.real || data.real[k]));
  const roomy = inner / Math.max(1, real.filter(Boolean).length) > 8;
  data.distance.forEach((v, k) => {
    if (rung.starts.has(k)) open = false;
    if (v === null) { open = false; return; }
    const at = x(carry(rung, own, k));
    path += `${open ? "L" : "M"}${at.toFixed(1)} ${y(v).toFixed(1)}`;
    open = true;
    if (real[k] && roomy) dots += `M${at - 2} ${y(v)}a2 2 0 1 0 4 0a2 2 0 1 0 -4 0`;
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

function moveTrace(panel, pos, { k, next, f }) {
  if (!panel.past) return;
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
