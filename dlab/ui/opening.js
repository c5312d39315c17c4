// Home's opening: two schemes on the same noise at one step size after another, and the curve of their errors as it is built.
// It halves h after each play until a visitor takes the slider.

const NARROW = 600, GAP = 16, GRAPH = 330, INDENT = 52, END = 44, TOP = 10, FOOT = 26;
const BELOW = 30; // px of the window that show that the page goes on
const HOLD = 1.4; // seconds between two step sizes

const openings = new WeakMap();

export default function mount({ parentElement, data }) {
  let opening = openings.get(parentElement);
  if (!opening) openings.set(parentElement, (opening = new Opening(parentElement.querySelector(".opening"))));
  const call = opening.show(data);
  return () => {
    if (opening.call !== call) return;
    opening.stop.abort();
    openings.delete(parentElement);
  };
}

// Seconds of sampling in so many steps: a coarse step lasts one at least.
const lasts = steps => (steps <= 4 ? 5 : steps <= 16 ? 8 : 6);

class Opening {
  constructor(root) {
    this.root = root;
    this.call = 0;
    this.stop = new AbortController();
    this.part = Object.fromEntries(["panels", "play", "now", "graph", "axis", "size", "curve", "sizes", "small"]
      .map(name => [name, root.querySelector("." + name)]));
    this.slider = this.part.sizes.firstElementChild;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    const on = (target, type, act) => target.addEventListener(type, act, { signal: this.stop.signal });
    on(this.part.play, "click", () => this.toggle());
    on(this.slider, "input", () => this.take(this.rungs[+this.slider.value]));
    on(root, "keydown", e => {
      if (e.key !== " " || e.target === this.part.play) return;
      e.preventDefault();
      this.toggle();
    });
    const resized = new ResizeObserver(() => this.layout());
    resized.observe(root);
    on(window, "resize", () => this.layout());
    on(this.stop.signal, "abort", () => { resized.disconnect(); this.rest(); });
  }

  show(data) {
    const { options, movie } = decode(data), fresh = this.movie?.id !== movie.id;
    Object.assign(this, { options, movie });
    // From fine to coarse, as along the axis.
    this.rungs = [...movie.rungs].sort((a, b) => a.h - b.h);
    this.root.classList.toggle("presentation", options.presentation);
    this.slider.max = this.rungs.length - 1;
    if (fresh) this.begin();
    else this.choose(this.rungs.find(r => r.h === this.rung.h));
    Object.assign(this, ground(this.root));
    for (const p of this.panels) {
      p.colour = p.data.colours[+this.dark];
      p.root.style.setProperty("--own", p.colour);
    }
    this.root.classList.toggle("dark", this.dark);
    text(this.part.axis, options.axis);
    text(this.part.small, options.small);
    this.part.small.title = options.method;
    this.layout(true);
    if (fresh && !this.still) this.play();
    return ++this.call;
  }

  begin() {
    this.visited = new Set();
    this.auto = true;
    this.still = this.calm.matches; // nothing moves unasked: the end of the first play, and what it is
    this.panels = this.movie.panels.map(data => {
      const root = el("figure", "panel"), head = el("div", "head", root), name = el("div", "name", head), value = el("div", "value", head);
      const [short, ...rest] = data.name.split(" · ");
      el("b", "", name).textContent = short;
      el("span", "title", name).textContent = rest.join(" · ");
      el("small", "", value).textContent = "W₂";
      const stage = el("div", "stage", root), field = el("canvas", "field", stage), dots = el("canvas", "dots", stage);
      field.setAttribute("aria-hidden", "true");
      dots.setAttribute("role", "img");
      return { data, root, short, head, number: el("span", "number", value), value, field, dots, others: [field] };
    });
    this.part.panels.replaceChildren(...this.panels.map(p => p.root));
    this.choose(this.rungs.at(-1));
    this.place = this.still ? 1 : 0;
    if (this.still) this.visit();
  }

  // ---- what is shown ----

  choose(rung) {
    this.rung = rung;
    this.panels.forEach((p, i) => {
      p.data = rung.panels[i];
      const w2 = error(p.data);
      text(p.number, number(w2));
      p.value.title = `${p.short} at h = ${fraction(rung.h)}: W₂ = ${number(w2)}. ${this.options.method}`;
      p.dots.setAttribute("aria-label", `${p.data.name}, h = ${fraction(rung.h)}: W₂ = ${number(w2)} at the end`);
    });
    this.slider.value = this.rungs.indexOf(rung);
    this.slider.setAttribute("aria-valuetext", `h = ${fraction(rung.h)}`);
    text(this.part.size, `h = ${fraction(rung.h)}`);
  }

  // The visitor has the slider: the curve gets its point at once, and nothing changes by itself any more.
  take(rung) {
    this.auto = this.still = false;
    this.choose(rung);
    this.visit();
    this.draw();
  }

  visit() {
    const fresh = !this.visited.has(this.rung.h);
    this.visited.add(this.rung.h);
    this.drawCurve(fresh);
  }

  toggle() {
    if (this.playing) return this.rest();
    if (this.place >= 1 && (!this.auto || this.still || !this.finer())) {
      if (this.auto && !this.still) this.choose(this.rungs.at(-1)); // all sizes have been: from the first again
      this.place = this.still ? 0 : this.begins();
    }
    this.still = false;
    this.play();
  }

  play() {
    this.playing = true;
    this.before = null;
    this.held = 0;
    this.waiting = requestAnimationFrame(now => this.tick(now));
    this.mark();
  }

  rest() {
    this.playing = false;
    cancelAnimationFrame(this.waiting);
    this.mark();
  }

  mark() {
    this.root.classList.toggle("playing", this.playing);
    this.part.play.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    this.part.play.title = this.playing ? "Pause (space)" : "Play (space)";
    this.draw();
  }

  finer() { return this.rungs[this.rungs.indexOf(this.rung) - 1]; }

  begins() { return this.rung.shares[this.rung.acts.at(-1)[1]]; }

  tick(now) {
    // A tab that slept goes on where it stopped.
    const dt = Math.min(0.1, (now - (this.before ?? now)) / 1000), { rung } = this;
    this.before = now;
    if (this.place < 1) {
      this.place = Math.min(1, this.place + dt * (1 - this.begins()) / lasts(Math.max(...rung.steps)));
      if (this.place === 1) this.visit();
    } else if ((this.held += dt) > HOLD) {
      const next = this.auto && this.finer();
      if (!next) return this.rest();
      this.choose(next);
      this.drawCurve();
      this.place = this.begins();
      this.held = 0;
    }
    this.draw();
    this.waiting = requestAnimationFrame(later => this.tick(later));
  }

  // ---- drawing ----

  layout(forced = false) {
    const width = this.root.clientWidth, state = [width, innerHeight, devicePixelRatio].join();
    if (width <= 0 || (!forced && state === this.laid)) return;
    this.laid = state;
    const narrow = width < NARROW, n = this.panels.length;
    this.root.classList.toggle("narrow", narrow);
    // What the window leaves below the page's title, where the page is not scrolled.
    const top = this.root.getBoundingClientRect().top + (document.querySelector("[data-testid='stMain']")?.scrollTop ?? scrollY);
    const room = Math.max(330, innerHeight - top - BELOW), head = this.panels[0].head.offsetHeight;
    const wide = narrow ? (width - 12) / n : Math.min((width - GRAPH - 28 - GAP * (n - 1)) / n, room - head - 80, 480);
    this.w = this.h = Math.floor(Math.max(120, wide));
    this.root.style.setProperty("--w", `${this.w}px`);
    this.root.style.setProperty("--h", `${this.h}px`);
    this.part.graph.style.height = narrow ? `${Math.max(230, Math.min(330, room - this.w - head - 44))}px` : "";
    this.root.style.setProperty("--from", `${INDENT}px`);
    this.root.style.setProperty("--to", `${END}px`);
    this.dpr = Math.min(devicePixelRatio, 2);
    for (const p of this.panels) prepareDots(p, this.w, this.h, this.dpr, this.dark, (this.options.presentation ? 1.2 : 1) * Math.max(0.85, Math.min(1.5, this.w / 310)));
    this.fieldAt = null;
    this.drawCurve();
    this.draw();
  }

  draw() {
    if (!this.w) return;
    const { rung, panels, movie: { density } } = this, frame = frameAt(rung, this.place), { k, t } = frame;
    if (density && this.fieldAt !== t) {
      this.fieldAt = t;
      const [first, ...others] = panels, ctx = first.field.getContext("2d");
      drawDensity(ctx, density, t, this, this.dpr);
      for (const p of others) {
        const to = p.field.getContext("2d");
        to.clearRect(0, 0, to.canvas.width, to.canvas.height);
        to.drawImage(first.field, 0, 0);
      }
    }
    for (const p of panels) drawDots(p, frame);
    const act = rung.acts[rung.actOf[k]]?.[0] ?? "", steps = Math.max(...rung.steps);
    const said = this.place >= 1 ? `${steps} steps of h = ${fraction(rung.h)}` : rung.stepText[k] || act;
    text(this.part.now, this.still ? `Still picture: after ${said}` : said[0].toUpperCase() + said.slice(1));
  }

  drawCurve(fresh = false) {
    const { curve } = this.part, { rungs, rung, panels } = this;
    curve.replaceChildren();
    const { width, height } = curve.getBoundingClientRect();
    if (!width || !height) return;
    const all = rungs.flatMap(r => r.panels.map(error)), hs = rungs.map(r => r.h);
    const low = Math.min(...all) / 1.7, high = 1.6 * Math.max(...all);
    const right = width - END, bottom = height - FOOT, log = Math.log;
    const x = h => INDENT + (right - INDENT) * log(h / hs[0]) / log(hs.at(-1) / hs[0]);
    const y = v => bottom - (bottom - TOP) * log(Math.max(v, low) / low) / log(high / low);
    for (let e = Math.ceil(Math.log10(low) - 1e-9); 10 ** e <= high; e++) {
      svg(curve, "line", { class: "grid", x1: INDENT, x2: right, y1: y(10 ** e), y2: y(10 ** e) });
      svg(curve, "text", { x: INDENT - 8, y: y(10 ** e), dy: "0.35em", "text-anchor": "end" }, e < 0 ? (10 ** e).toFixed(-e) : String(10 ** e));
    }
    for (const h of hs) {
      svg(curve, "line", { class: "grid", x1: x(h), x2: x(h), y1: TOP, y2: bottom });
      svg(curve, "text", { x: x(h), y: bottom + 18, "text-anchor": "middle" }, fraction(h));
    }
    svg(curve, "line", { class: "axis", x1: INDENT, x2: right, y1: bottom, y2: bottom });
    svg(curve, "line", { class: "at", x1: x(rung.h), x2: x(rung.h), y1: TOP, y2: bottom });
    const seen = rungs.filter(r => this.visited.has(r.h)), ends = [];
    panels.forEach((p, i) => {
      const own = { style: `--own: ${p.colour ?? "currentColor"}` }, at = r => [x(r.h), y(error(r.panels[i]))];
      if (!seen.length) return;
      svg(curve, "path", { ...own, class: "line", d: "M" + seen.map(r => at(r).map(v => v.toFixed(1)).join(" ")).join("L") });
      for (const r of seen) {
        const [cx, cy] = at(r), now = r === rung;
        const point = svg(curve, "circle", { ...own, class: `point${now ? " now" : ""}${now && fresh ? " new" : ""}`, cx, cy, r: 5.5 });
        svg(point, "title", {}, `${p.short}, h = ${fraction(r.h)}: W₂ = ${number(error(r.panels[i]))}`);
      }
      ends.push([p.short, at(seen.at(-1)), own]);
    });
    const heights = apart(ends.map(([, [, at]]) => at), 18, TOP + 4, bottom - 4);
    ends.forEach(([name, [at], own], i) => svg(curve, "text", { ...own, class: "end", x: at + 13, y: heights[i], dy: "0.35em" }, name));
    curve.setAttribute("aria-label", `W₂ against h. ${panels.map((p, i) => `${p.short}: ${seen.map(r => `${number(error(r.panels[i]))} at h = ${fraction(r.h)}`).join(", ") || "no point yet"}`).join("; ")}.`);
  }
}

// The distance at the end.
const error = data => data.distance[data.known.at(-1)];
