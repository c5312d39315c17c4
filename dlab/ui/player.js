// Plays a movie on 2-D canvases. Python hears of one thing alone: the step size that the visitor has come to rest on.

const NARROW = 600, GAP = 16, SIDE = 160, SIDE_MAX = 440, UNDER = 140, TALLEST = 1000;
const REST = 350; // ms that the step size stays before the page is told
const PATIENCE = 10_000; // ms for which a movie waits until the page around it is drawn
const KEEP = 3000; // ms that a player's state outlives it

const players = new WeakMap();
let latest = null;

export default function mount({ parentElement, data, setTriggerValue }) {
  let player = players.get(parentElement);
  if (!player) {
    players.set(parentElement, (player = new Player(parentElement.querySelector(".player"))));
    // Streamlit builds a player anew where something appears above it: then it goes on as the old one did.
    if (latest && performance.now() - latest.gone < KEEP) player.heir = latest;
    latest = player;
  }
  player.tell = setTriggerValue;
  const call = player.show(data);
  // Streamlit may clean up an overtaken call after its successor has run: only the last one takes the player down.
  return () => {
    if (player.call !== call) return;
    player.stop.abort();
    players.delete(parentElement);
  };
}

class Player {
  constructor(root) {
    this.root = root;
    this.call = 0;
    this.pos = 0; // the share of the movie that is over
    this.playing = this.loop = this.arrows = false;
    this.followed = this.over = this.asked = null;
    this.speed = 1;
    this.stop = new AbortController();
    this.patient = performance.now() + PATIENCE;
    this.gone = Infinity;
    this.heir = null;
    this.part = Object.fromEntries(["panels", "along", "bar", "acts", "sizes", "size", "why", "status", "state", "clock", "count", "act", "note", "spoken"]
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
      play: () => this.toggle(), restart: () => this.seek(0), end: () => this.seek(1, true),
      back: () => this.step(-1), forward: () => this.step(1),
      loop: () => this.press("loop"), arrows: () => { this.press("arrows"); this.note(); this.layout(true); },
      follow: e => this.next(e.shiftKey ? -1 : 1), release: () => this.follow(null),
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
    on(this.ladder, "input", () => this.choose(this.sizes[+this.ladder.value]));
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
      const free = !tabbed && e.target.matches?.("main");
      if (e.defaultPrevented || !(free || e.target === document.body) || middle < 0 || middle > innerHeight) return;
      press(e);
      if (free && e.defaultPrevented) this.root.focus({ preventScroll: true });
    });
    const resized = new ResizeObserver(() => this.layout());
    resized.observe(this.root);
    on(window, "resize", () => this.layout());
    on(this.stop.signal, "abort", () => {
      resized.disconnect();
      this.gone = performance.now();
      this.went = this.playing;
      this.playing = false;
      cancelAnimationFrame(this.waiting);
      clearTimeout(this.telling);
    });
    const watchPixels = () => {
      const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
      query.addEventListener("change", () => { this.layout(); watchPixels(); }, { once: true, signal: this.stop.signal });
    };
    watchPixels();
  }

  show(data) {
    const { options, movie } = decode(data), before = this.rung, same = this.movie?.id === movie.id;
    const own = movie.rungs[movie.own], asked = options.asked.join();
    // Between two requests of the page, what the visitor has chosen stands.
    const { heir } = this, goes = heir?.movie?.id === movie.id && heir.asked === asked;
    this.heir = null;
    if (goes) Object.assign(this, { size: heir.size, told: heir.told });
    else if (!same || asked !== this.asked) this.size = this.told = options.asked[0] ?? own.h;
    const rung = movie.rungs.find(r => r.h === this.size) ?? (same && movie.rungs.find(r => r.h === before.h)) ?? own;
    Object.assign(this, { options, movie, asked, rung: rung || own });
    this.root.classList.toggle("presentation", options.presentation);
    if (!same) this.build();
    if (goes) this.inherit(heir);
    this.offer();
    this.climb(this.rung);
    this.paint();
    this.layout(true);
    if (!same) this.setPlaying(goes ? heir.playing || heir.went : options.autoplay && !this.calm.matches);
    return ++this.call;
  }

  build() {
    const { movie, rung, part } = this;
    this.pos = this.w = 0;
    this.followed = null;
    this.root.classList.remove("following");
    this.panels = rung.panels.map(panelElements);
    part.panels.replaceChildren(...this.panels.map(p => p.root));
    this.button.arrows.hidden = !movie.arrows;
    part.along.hidden = !rung.panels.some(p => p.distance);
  }

  inherit({ pos, speed, followed, loop, arrows }) {
    Object.assign(this, { pos, speed });
    this.root.querySelector("select").value = speed;
    for (const [name, on] of Object.entries({ loop, arrows })) if (on !== this[name]) this.press(name);
    if (followed !== null) this.follow(followed);
  }

  // What the slider offers and where acts begin.
  offer() {
    const { movie, rung, part, options, ladder } = this, sizes = [...movie.rungs.map(r => r.h), ...options.sizes].filter(h => h !== null);
    this.sizes = [...new Set(sizes)].sort((a, b) => b - a);
    part.acts.replaceChildren(...rung.acts.map(([label, first], i) => {
      const from = rung.shares[first], to = i + 1 < rung.acts.length ? rung.shares[rung.acts[i + 1][1]] : 1, mark = el("button");
      mark.type = "button";
      mark.ariaLabel = label;
      mark.title = `Go to the start of “${label}”`;
      mark.style.left = `${100 * from}%`;
      mark.style.width = `${100 * (to - from)}%`;
      mark.onclick = () => this.seek(from);
      return mark;
    }));
    part.sizes.hidden = !options.live || this.sizes.length < 2;
    ladder.max = Math.max(1, this.sizes.length - 1);
    this.rungText();
  }

  // Another step size by the visitor: at once where it is here, and the page is told when the slider rests.
  choose(h) {
    this.size = h;
    const rung = this.movie.rungs.find(r => r.h === h);
    if (rung) this.climb(rung);
    this.rungText();
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      if (this.size === this.told) return;
      this.told = this.size;
      this.tell?.("h", this.size);
    }, REST);
  }

  rungText() {
    const { rung, ladder, part, options, sizes } = this, here = this.size === rung.h, size = this.size === null ? "" : fraction(this.size);
    ladder.value = Math.max(0, sizes.indexOf(this.size));
    ladder.style.setProperty("--done", `${100 * ladder.value / ladder.max}%`);
    text(part.size, size && `h = ${size}`);
    const why = here ? options.waiting : `computing h = ${size}`;
    ladder.setAttribute("aria-valuetext", [`h = ${size}`, why].filter(Boolean).join(", "));
    text(part.why, why);
  }

  // Shows another step size at the same t; whatever plays goes on.
  climb(rung) {
    this.rung = rung;
    this.panels.forEach((p, i) => {
      p.data = rung.panels[i];
      const last = p.data.known[rung.last], said = last >= 0 ? `, W₂ = ${number(p.data.distance[last])} at the end` : "";
      p.dots.setAttribute("aria-label", [this.options.alt, p.data.name + said].filter(Boolean).join(": "));
    });
    this.note();
    this.drawChart();
    this.draw();
  }

  note() {
    const { movie: { density, arrows, ghost }, part, followed, options } = this, room = options.presentation;
    const words = followed !== null
      ? [`Particle ${followed + 1}, on the same Brownian path everywhere.`, ghost && "Grey: its exact path.", "Esc lets it go."]
      : [!room && this.rung.last && "Particles glide between steps; only the steps are real.", this.movie.followed && "Click a particle to follow it."];
    part.note.textContent = [...words, arrows && this.arrows && "Arrows: the score, as long as the square root of its size."].filter(Boolean).join(" ");
    part.note.title = density ? `Lines: the density at ${PEAK.join(", ")} % of its peak.` : "";
  }

  paint() {
    Object.assign(this, ground(this.root));
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
    const { w, h, dpr, options, dark } = this;
    for (const p of this.panels) {
      prepareDots(p, w, h, dpr, dark, (options.presentation ? 1.35 : 1) * (w < 260 ? 0.75 : 1));
      axes(p.axes, this.movie.box, w, h);
    }
    this.drawChart();
    this.fieldAt = null;
    this.draw();
  }

  // The height asked for, or more where the window has room for it.
  tall() {
    const { height, above } = this.options;
    return above === null ? height : Math.min(TALLEST, Math.max(height, innerHeight - above));
  }

  // The stages take what the words around them and the chart leave: it stands beside them or under them, whichever leaves more.
  place(width) {
    const { root, part, panels, movie } = this, tall = this.tall(), { box } = movie, narrow = width < NARROW, n = panels.length;
    const aspect = (box[1] - box[0]) / (box[3] - box[2]), chart = !part.along.hidden;
    root.classList.toggle("narrow", narrow);
    this.scale = distanceScale(movie.rungs);
    const set = (w, side) => {
      this.w = Math.floor(Math.max(120, w));
      this.h = Math.round(this.w / aspect);
      root.dataset.mode = side ? "beside" : "under";
      root.style.setProperty("--w", `${this.w}px`);
      root.style.setProperty("--h", `${this.h}px`);
      root.style.setProperty("--side", `${Math.floor(side)}px`);
      // Titles that the longest number would cut say less than none.
      for (const p of panels) {
        p.title.hidden = false;
        if (p.value) p.value.textContent = "W₂ = 9.99×10⁻⁹";
      }
      const cut = panels.some(p => p.name.scrollWidth > p.name.clientWidth);
      for (const p of panels) {
        p.title.hidden = cut;
        if (p.value) p.value.textContent = "\u00a0"; // until it is drawn
      }
    };
    const all = movie.rungs;
    reserve(part.status, [part.clock, [`t = ${longest(all[0].times.map(t => t.toFixed(2)))}`]],
      [part.count, all.flatMap(r => r.stepText)], [part.act, all[0].acts.map(([label]) => label)]);
    for (const mark of part.acts.children) text(mark, mark.offsetWidth < 62 ? "" : mark.ariaLabel);
    if (narrow) return set(n > 1 ? (width - 12) / 2 : width, 0);
    const room = tall - part.bar.offsetHeight - part.status.offsetHeight - 16;
    // How the words wrap depends on the width, so it takes a guess, a measurement and a correction.
    set(Math.min((width - GAP * (n - 1)) / n, 0.7 * room * aspect), 0);
    const high = (room - Math.max(...panels.map(p => p.head.offsetHeight))) * aspect;
    const under = Math.min((width - GAP * (n - 1)) / n, high - (chart ? UNDER + 8 : 0) * aspect);
    const beside = chart ? Math.min((width - SIDE - GAP * n) / n, high) : 0;
    if (beside > under) set(beside, Math.min(SIDE_MAX, width - n * beside - GAP * n));
    else set(under, 0);
    const excess = root.offsetHeight - tall;
    if (excess > 0) set(this.w - excess * aspect, root.dataset.mode === "beside" ? Math.min(SIDE_MAX, width - n * (this.w - excess * aspect) - GAP * n) : 0);
  }

  toggle() { this.setPlaying(!this.playing); }

  press(name) {
    this[name] = !this[name];
    this.button[name].setAttribute("aria-pressed", this[name]);
  }

  setPlaying(playing) {
    if (playing && this.pos >= 1) this.pos = 0;
    this.playing = playing && this.rung.last > 0;
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
    this.pos = Math.min(1, Math.max(0, pos));
    if (pause && this.playing) this.setPlaying(false);
    this.draw();
    this.range.setAttribute("aria-valuetext", this.where());
  }

  step(way) {
    const { rung } = this, { k } = frameAt(rung, this.pos), on = Math.abs(rung.shares[k] - this.pos) < 1e-6;
    let to = way > 0 || on ? k + way : k;
    while (to > 0 && to < rung.last && !rung.real[to]) to += way;
    this.seek(rung.shares[Math.min(rung.last, Math.max(0, to))], true);
    this.part.spoken.textContent = this.where();
  }

  tick(now) {
    // While parts of a new page still come, its movie would move with them and keep the machine from drawing them.
    if (now < this.patient && document.querySelector("[data-testid='stSkeleton']")) {
      this.waiting = requestAnimationFrame(next => this.tick(next));
      return;
    }
    // A tab that slept goes on where it stopped.
    const dt = Math.min(0.1, (now - (this.before ?? now)) / 1000) * this.speed / this.rung.seconds;
    this.before = now;
    this.pos += dt;
    if (this.pos > 1 + (this.loop ? this.speed / this.rung.seconds : 0)) {
      if (!this.loop) { this.pos = 1; return this.setPlaying(false); }
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
    const frame = this.frame(), places = Array.from({ length: this.movie.followed }, (_, i) => where(panel.data, frame, i, this.w, this.h));
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

  frame() { return frameAt(this.rung, Math.min(this.pos, 1)); }

  // ---- drawing ----

  draw() {
    if (!this.w) return;
    const { rung, part } = this, pos = Math.min(this.pos, 1), frame = this.frame(), { k, t } = frame;
    this.drawField(t);
    for (const p of this.panels) {
      drawDots(p, frame);
      drawOver(p, frame, this);
      text(p.lost, lostText(p.data, k));
      moveTrace(p, rung, k, this);
    }
    if (this.chart) moveCursor(this.chart, pos);
    this.range.value = pos;
    this.range.style.setProperty("--done", `${100 * pos}%`);
    text(part.clock, `t = ${t.toFixed(2)}`);
    text(part.count, rung.stepText[k]);
    text(part.act, rung.acts[rung.actOf[k]]?.[0] ?? "");
  }

  drawField(t) {
    const { density, arrows, box } = this.movie;
    if (!density || this.fieldAt === t) return;
    this.fieldAt = t;
    const [first, ...others] = this.panels, ctx = first.field.getContext("2d"), { width, height } = first.field;
    drawDensity(ctx, density, t, this, this.dpr * (this.options.presentation ? 1.5 : 1));
    if (arrows && this.arrows) {
      ctx.strokeStyle = `rgba(${this.ink},${this.ink},${this.ink},0.55)`;
      drawArrows(ctx, arrows, ...bracket(density.times, t), box);
    }
    // All panels share the law: one drawing, copied.
    for (const p of others) {
      const to = p.field.getContext("2d");
      to.clearRect(0, 0, width, height);
      to.drawImage(first.field, 0, 0);
    }
  }

  drawChart() {
    if (this.part.along.hidden || !this.w || !this.scale) return;
    this.chart = drawDistances(this);
    for (const p of this.panels) moveTrace(p, this.rung, frameAt(this.rung, Math.min(this.pos, 1)).k, this);
    moveCursor(this.chart, Math.min(this.pos, 1));
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

// ---- the followed particle ----

const REACH = 28; // px from a click to the particle that it picks

// Pixels of point i of a frame's codes, null where it is gone.
function point(codes, i, w, h) {
  return codes[2 * i] === GONE ? null : [(codes[2 * i] / MID - 1) * w, (2 - codes[2 * i + 1] / MID) * h];
}

function between(a, b, f) {
  return a && b ? [a[0] + f * (b[0] - a[0]), a[1] + f * (b[1] - a[1])] : a;
}

const where = ({ frames }, { k, next, f }, i, w, h) => between(point(frames[k], i, w, h), point(frames[next], i, w, h), f);

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
      const at = where(data, frame, i, w, h);
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
  const at = where(data, frame, i, w, h), act = rung.actOf[k], { ghost } = movie;
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

// ---- words and axes ----

const longest = texts => texts.reduce((a, b) => b.length > a.length ? b : a, "");

// Room for the longest words, so that nothing jumps while they change.
function reserve(box, ...fills) {
  box.style.minHeight = "";
  for (const [node, texts] of fills) node.textContent = longest(texts);
  box.style.minHeight = `${box.offsetHeight}px`;
}

function panelElements(data) {
  const root = el("figure", "panel"), head = el("div", "head", root), stage = el("div", "stage", root);
  const name = el("div", "name", head), [short, ...rest] = data.name.split(" · ");
  el("b", "", name).textContent = short;
  const title = el("span", "title", name);
  title.textContent = rest.join(" · ");
  name.title = data.name;
  const value = data.distance && el("div", "value", head);
  if (value) value.textContent = "\u00a0";
  const field = el("canvas", "field", stage), dots = el("canvas", "dots", stage), over = el("canvas", "over", stage), frame = svg(stage, "svg", { "aria-hidden": true });
  const lost = el("div", "lost", stage);
  dots.setAttribute("role", "img");
  for (const canvas of [field, over]) canvas.setAttribute("aria-hidden", "true");
  return { data, root, head, name, title, stage, value, lost, field, dots, over, axes: frame, others: [field, over] };
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

// ---- the distance so far, of all panels in one chart ----

// One scale for all step sizes, so that heights compare.
function distanceScale(rungs) {
  const values = rungs.flatMap(r => r.panels).flatMap(p => p.distance ?? []).filter(v => v !== null);
  let high = Math.max(...values, 0) || 1, low = Math.min(...values.filter(v => v > 0), high);
  // Four decades at most: the distance of two laws that start equal is rounding.
  low = Math.max(low, 1e-4 * high);
  const log = high > 10 * low;
  if (log) { low /= 1.15; high *= 1.15; } else { low = 0; high *= 1.05; }
  const to = log ? v => Math.log(Math.max(v, 1e-2 * low)) : v => v;
  return { log, low, high, at: v => (to(v) - to(low)) / (to(high) - to(low)) };
}

function logTicks(low, high) {
  const list = [];
  for (let e = Math.floor(Math.log10(low)); 10 ** e <= high; e++) for (const m of [1, 2, 5]) list.push(+(m * 10 ** e).toPrecision(3));
  const inside = list.filter(v => v >= low && v <= high), decades = inside.filter(v => Number.isInteger(Math.round(1e9 * Math.log10(v)) / 1e9));
  return decades.length > 1 ? decades : inside.filter((_, i) => i % Math.ceil(inside.length / 4) === 0);
}

// A tick of an axis that goes below a thousandth, whose ticks all have this form.
function power(v) {
  const [digits, n] = v.toExponential(0).split("e");
  return `${digits === "1" ? "" : `${digits}·`}10${superscript(n)}`;
}

function drawDistances({ part: { along }, panels, rung, scale, options, root }) {
  const labels = [...new Set(panels.map(p => p.data.label))], caption = el("div", "caption"), large = options.presentation;
  const said = labels.length === 1 ? labels[0] : "W₂ so far";
  caption.textContent = scale.log ? said.replace(/\)?$/, end => (end ? ", log scale)" : " (log scale)")) : said;
  caption.title = panels.map(p => p.data.label && `${p.data.name.split(" ")[0]}: ${p.data.label}`).filter(Boolean).join("\n");
  along.replaceChildren(caption);
  const picture = svg(along, "svg", { class: "trace", "aria-hidden": true }), { width, height } = picture.getBoundingClientRect();
  const indent = large ? 58 : 46, end = large ? 44 : 34, foot = large ? 24 : 19, inner = Math.max(1, width - indent - end), deep = Math.max(1, height - foot - 6);
  const from = rung.shares[Math.max(0, rung.times.findIndex((_, k) => panels.some(p => p.data.distance?.[k] != null)))];
  const start = panels.some(p => p.data.distance?.some(v => v !== null)) ? from : rung.shares[rung.acts.at(-1)?.[1] ?? 0];
  const x = place => indent + inner * Math.max(0, (place - start) / (1 - start || 1)), y = v => 6 + deep * (1 - scale.at(v));
  for (const v of scale.log ? logTicks(scale.low, scale.high) : ticks(scale.low, scale.high, 3)) {
    svg(picture, "line", { class: "grid", x1: indent, x2: indent + inner, y1: y(v), y2: y(v) });
    svg(picture, "text", { class: "tick", "data-value": v, x: indent - 7, y: y(v), dy: "0.35em", "text-anchor": "end" }, scale.log && scale.low < 1e-3 ? power(v) : String(v));
  }
  svg(picture, "line", { class: "axis", x1: indent, x2: indent + inner, y1: 6 + deep, y2: 6 + deep });
  for (const [place, anchor] of [[start, "start"], [1, "end"]]) {
    const k = frameAt(rung, place).k;
    svg(picture, "text", { x: x(place), y: height - 3, "text-anchor": anchor }, `t = ${+rung.times[k].toFixed(2)}`);
  }
  const inside = svg(picture, "svg", { x: 0, y: 6, width, height: deep, overflow: "hidden" }), up = v => y(v) - 6;
  const behind = svg(picture, "svg", { x: 0, y: 6, width: 0, height: deep, overflow: "hidden" });
  const chart = { x, y, start, behind, cursor: svg(picture, "line", { class: "cursor", y1: 6, y2: 6 + deep }), here: new Map() };
  const ends = [];
  for (const panel of panels) {
    const { data } = panel, own = { style: `--own: ${panel.colour ?? "currentColor"}` };
    let path = "", open = false, dots = "", last = null;
    const roomy = inner / Math.max(1, new Set(data.known).size) > 8;
    (data.distance ?? []).forEach((v, k) => {
      if (rung.starts.has(k)) open = false;
      if (v === null) { open = false; return; }
      const at = x(rung.shares[k]);
      path += `${open ? "L" : "M"}${at.toFixed(1)} ${up(v).toFixed(1)}`;
      open = true;
      last = v;
      if (data.known[k] === k && roomy) dots += `M${at - 2} ${up(v)}a2 2 0 1 0 4 0a2 2 0 1 0 -4 0`;
    });
    if (last === null) continue;
    svg(inside, "path", { ...own, class: "ahead", d: path });
    svg(behind, "path", { ...own, d: path });
    svg(behind, "path", { ...own, class: "steps", d: dots });
    ends.push([data.name.split(" ")[0], y(Math.max(last, scale.low)), own]);
    chart.here.set(panel, svg(picture, "circle", { ...own, class: "here", r: large ? 6 : 4.5 }));
  }
  const gap = large ? 20 : 15;
  apart(ends.map(([, at]) => at), gap, 10, 6 + deep - 2).forEach((at, i) => {
    svg(picture, "text", { ...ends[i][2], class: "end", x: indent + inner + 8, y: at, dy: "0.35em" }, ends[i][0]);
  });
  return chart;
}

// The number of a panel and its dot: both of the last frame at which the distance was measured. Below the axis the dot is hollow at
// its foot, and the number says below what.
function moveTrace(panel, rung, k, { chart, scale, options }) {
  const { data, value } = panel, m = data.known[k], dot = chart?.here.get(panel);
  if (dot) dot.style.display = m < 0 ? "none" : "";
  if (!value) return;
  const v = m < 0 ? null : data.distance[m], below = v !== null && v < scale?.low;
  text(value, v === null ? (options.waiting ? "…" : "\u00a0") : `W₂ ${below ? `< ${number(scale.low)}` : `= ${number(v)}`}`);
  value.title = v === null ? "" : `${data.label}: ${number(v)}`;
  if (!dot || v === null) return;
  dot.setAttribute("cx", chart.x(rung.shares[m]));
  dot.setAttribute("cy", chart.y(Math.max(v, scale.low)));
  dot.classList.toggle("below", below);
}

function moveCursor({ x, start, behind, cursor }, pos) {
  const at = x(pos);
  behind.setAttribute("width", at);
  cursor.style.display = pos < start ? "none" : "";
  cursor.setAttribute("x1", at);
  cursor.setAttribute("x2", at);
}
