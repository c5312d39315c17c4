// The page: scenes one at a time, each a question first, then its picture, then its answer.
"use strict";
const Lesson = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement, main = document.querySelector("main"), find = id => document.getElementById(id);
  const { number, step } = Chart;
  const SLOPES = [[0.5, "½"], [1, "1"], [1.5, "1½"], [2, "2"]], HALF = Object.fromEntries(SLOPES);
  const LEVEL = 0.15; // slope of the last octave below which a curve has levelled off
  const REDRAWS = []; // ms that each change of a control took, laws and picture
  // stage: 0 the question with its guess, 1 the picture, 2 the answer
  const memory = data.scenes.map(s => ({ stage: s.guess ? 0 : 1, guess: {}, settings: null }));
  let now = 0, shown = null, chosen = null; // the scene's number, its view, the theme where it was chosen

  function el(tag, given = {}, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(given)) {
      if (key.startsWith("on")) node[key] = value;
      else if (key === "html") node.innerHTML = value; // our own words, made in Python
      else if (value !== null && value !== false) node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children.flat().filter(c => c !== null && c !== false && c !== undefined));
    return node;
  }

  const dark = () => root.dataset.theme === "dark";
  const presenting = () => root.classList.contains("present");
  const look = name => data.looks[name] || { colours: ["#5f6772", "#a3adba"], marker: "circle", dash: "dash", title: name, evals: 1 };
  const colour = name => look(name).colours[dark() ? 1 : 0];
  const listed = items => items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
  const decimals = v => (Math.abs(v) < 0.005 ? 0 : v).toFixed(2).replace("-", "−");
  const finest = s => s.points.filter(p => p.y > 0).sort((a, b) => b.N - a.N); // the finest point first
  const local = ([last, next]) => Math.log(next.y / last.y) / Math.log(last.N / next.N); // the slope between the two finest
  const flat = fine => fine.length > 1 && Math.abs(local(fine)) < LEVEL;
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  // ---------------------------------------------------------------- a Gaussian scene whose settings move

  class Live {
    constructor(scene, kept) {
      this.scene = scene, this.live = scene.live, this.found = {};
      const { problem, error, schemes, steps, at } = this.live;
      this.begun = {
        k: problem.axes.map(a => 1 / a.v), T: problem.grid.T, kind: error.name === "relative" ? "relative" : "constant", level: error.level || 0,
        start: problem.start, grid: problem.grid.name, at: steps.indexOf(at), schemes: [...schemes],
      };
      this.now = kept || { ...this.begun, k: [...this.begun.k], schemes: [...schemes] };
    }
    get even() { return this.now.grid === "uniform" && !this.live.problem.grid.stop; }
    get moved() {
      const { at, schemes, kind, ...rest } = this.now, { at: _, schemes: __, kind: was, ...begun } = this.begun;
      return JSON.stringify(rest) !== JSON.stringify(begun) || (rest.level !== 0 && kind !== was);
    }
    get problem() {
      const { problem, error } = this.live, s = this.now, maker = data.grids[s.grid];
      const grid = s.grid === problem.grid.name ? { ...problem.grid } : { name: s.grid, ...maker.settings };
      grid.T = maker.begins === "T" ? s.T : s.grid === problem.grid.name ? problem.grid.T : Engine.horizon(grid);
      const angle = (error.angle || 0) * Math.PI / 180, level = s.kind === "constant" ? s.level : 0;
      const axes = problem.axes.map((a, i) => ({
        v: s.k[i] === this.begun.k[i] ? a.v : 1 / s.k[i], m: a.m,
        add: level * (problem.turn[0][i] * Math.cos(angle) + problem.turn[1][i] * Math.sin(angle)),
      }));
      return { ...problem, axes, grid, start: s.start, rel: s.kind === "relative" ? s.level : 0 };
    }
    // The numbers of steps of the curve.
    get counts() {
      const { h, steps } = this.live;
      if (this.even && h) return h.map(size => Math.max(1, Math.round(this.now.T / size)));
      return h || this.now.grid !== this.begun.grid ? [4, 8, 16, 32, 64, 128, 256].slice(0, Math.max(steps.length, 4)) : steps;
    }
    get N() { const counts = this.counts; return counts[Math.min(this.now.at, counts.length - 1)]; }
    place(N) { return this.even ? `h = ${step(this.problem.grid.T / N)}` : `N = ${N}`; }
    hidden() { return this.moved ? this.now.schemes.filter(s => !Engine.exactly(s)) : []; }

    series() {
      const p = this.problem, { curve } = this.scene, counts = [...this.counts].sort((a, b) => a - b), bounds = !curve || curve.bounds;
      const evals = curve?.x === "evals", stored = this.moved ? [] : curve?.series || [], tiny = 1e-11;
      const size = Math.sqrt(p.axes.reduce((sum, a) => sum + a.v + a.m * a.m, 0));
      this.found = {};
      return this.now.schemes.filter(s => !this.hidden().includes(s)).flatMap(name => {
        const known = stored.find(s => s.scheme === name);
        if (known) return [known];
        if (!Engine.exactly(name)) return [];
        const points = counts.map(N => {
          const { w2, met } = p.rel || p.axes.some(a => a.add) ? Engine.path(p, name, N) : { w2: { [N]: Engine.w2(p, name, N) }, met: 0 };
          const equal = w2[N] < tiny * size, y = equal || !(w2[N] > 0) ? null : w2[N], h = this.even ? p.grid.T / N : null;
          const says = `${name}, ${this.place(N)}: ${equal ? "equal to the target up to rounding" : y === null ? "diverged" : `W₂ ${number(y)}`}`;
          return { x: evals ? N * look(name).evals : this.even && curve?.x !== "steps" ? h : N, y, h, N, bound: bounds ? Engine.bound(p, name, N, met) : null, filled: true, half: 0, says, equal };
        }).filter(q => !q.equal);
        this.found[name] = points.length;
        return [{ scheme: name, label: this.slope(points), points: points.sort((a, b) => a.x - b.x) }];
      });
    }
    slope(points) {
      const fine = finest({ points });
      return fine.length > 1 ? `slope ${decimals(local(fine))}` : "";
    }
    // Points without the schemes that make no error at all.
    equal() { return this.now.schemes.filter(s => Engine.exactly(s) && this.found[s] === 0); }

    keys(series) {
      const found = [];
      for (const s of series.slice(0, 4)) {
        const fine = finest(s), [last] = fine;
        if (flat(fine)) found.push({ value: number(last.y), label: `${s.scheme} at ${this.place(last.N)}` });
        else if (s.label) found.push({ value: s.label.replace("slope ", ""), label: `slope of ${s.scheme}` });
        if (series.length < 3 && this.N !== last?.N) found.push({ value: number(s.points.find(p => p.N === this.N)?.y ?? null), label: `${s.scheme} at ${this.place(this.N)}` });
      }
      return found.slice(0, 4);
    }
    takeaway(series) {
      if (!this.moved) return this.scene.takeaway;
      const known = series.filter(s => finest(s).length > 1), end = s => finest(s)[0];
      if (!known.length) return "No error is left to see.";
      if (known.length > 3) {
        const best = known.reduce((a, b) => end(a).y < end(b).y ? a : b);
        return `At ${this.place(end(best).N)} ${best.scheme} is the nearest to the target, at W₂ = ${number(end(best).y)}.`;
      }
      const level = known.filter(s => flat(finest(s))), rest = known.filter(s => !level.includes(s)), said = [];
      if (rest.length) said.push(`between the two finest points the error falls for ${listed(rest.map(s => `${s.scheme} with ${s.label}`))}`);
      if (level.length) said.push(`${listed(level.map(s => s.scheme))} level${level.length > 1 ? "" : "s"} off near W₂ = ${listed([...new Set(level.map(s => number(end(s).y)))])}`);
      const text = said.join("; ");
      return `${/^between/.test(text) ? `B${text.slice(1)}` : text}.`;
    }

    film(count) {
      const p = this.problem, N = this.N, names = this.now.schemes.filter(s => Engine.SCHEMES[s]).slice(0, 3), run = Engine.schedule(p.grid, N);
      const [[a, b], [c, d]] = p.turn, [s, t] = p.axes, centre = [a * s.m + b * t.m, c * s.m + d * t.m];
      const round = r => Array.from({ length: 73 }, (_, i) => {
        const u = Math.sqrt(s.v) * r * Math.cos(i * Math.PI / 36), w = Math.sqrt(t.v) * r * Math.sin(i * Math.PI / 36);
        return [centre[0] + a * u + b * w, centre[1] + c * u + d * w];
      }).flat();
      const reach = [[a * a * s.v + b * b * t.v, centre[0]], [c * c * s.v + d * d * t.v, centre[1]]].map(([v, m]) => [Math.min(m - 3.3 * Math.sqrt(v), -3.3), Math.max(m + 3.3 * Math.sqrt(v), 3.3)]);
      const half = Math.max(...reach.map(([low, high]) => high - low)) / 2, box = reach.flatMap(([low, high]) => [(low + high) / 2 - half, (low + high) / 2 + half]);
      const clouds = Engine.particles(p, names, N, count, 20250207);
      return {
        box, count, contours: [0.5, 1, 2, 3, 4.5].map(drop => round(Math.sqrt(2 * drop))),
        acts: [{ label: "Sampling", steps: Array.from(run.times, (_, n) => n), times: Array.from(run.times), clouds }],
        panels: names.map(name => ({ name, colour: colour(name) })),
        distances: names.map(name => Engine.exactly(name) ? Engine.path(p, name, N, run).w2.map(v => v === v ? v : null) : null),
      };
    }
  }

  // ---------------------------------------------------------------- controls of a live scene

  const GROUPS = { k1: "target", k2: "target", at: "h", grid: "h", level: "error", kind: "error", T: "horizon", start: "horizon" };

  function controls(view, changed) {
    const s = view.now, rows = [], free = name => !view.live.fixed.includes(GROUPS[name]);
    // was: the lesson's value, which the slider finds again though it may lie between two of its places.
    const slider = (name, label, low, high, by, get, set, text, was = NaN) => {
      const output = el("output"), input = el("input", { type: "range", min: low, max: high, step: by, "aria-label": label });
      const show = () => { input.value = get(); output.textContent = text(get()); };
      input.oninput = () => { const v = Number(input.value); set(Math.abs(v - was) < by / 2 ? was : v); show(); changed(); };
      rows.push([el("label", { "data-name": name }, el("span", {}, label, output), input), show]);
    };
    const menu = (name, label, options, get, set) => {
      const input = el("select", { "aria-label": label }, options.map(([value, text]) => el("option", { value }, text)));
      input.onchange = () => { set(input.value); changed(); };
      rows.push([el("label", { "data-name": name }, el("span", {}, label), input), () => { input.value = get(); }]);
    };
    const tenth = v => String(Number(v.toFixed(2)));
    s.k.forEach((_, i) => slider(`k${i + 1}`, `Curvature κ${"₁₂"[i]}`, 0.3, 8, 0.1, () => s.k[i], v => { s.k[i] = v; }, tenth, view.begun.k[i]));
    const counts = () => view.counts.length - 1;
    slider("at", "Step size h", 0, counts(), 1, () => Math.min(s.at, counts()), v => { s.at = v; }, () => view.place(view.N).slice(4));
    menu("grid", "Time grid", Object.entries(data.grids).map(([name, g]) => [name, g.title]), () => s.grid, v => { s.grid = v; });
    slider("level", "Score error ε", 0, 0.5, 0.01, () => s.level, v => { s.level = v; }, tenth, view.begun.level);
    menu("kind", "Its kind", [["constant", "constant vector"], ["relative", "share of the score"]], () => s.kind, v => { s.kind = v; });
    slider("T", "Horizon T", 1, 10, 1, () => s.T, v => { s.T = v; }, v => data.grids[s.grid].begins === "T" ? tenth(v) : view.problem.grid.T.toFixed(2), view.begun.T);
    menu("start", "Start", [["exact", "exact law at T"], ["paper", "N(0, σ²I)"], ["vp", "N(0, I)"]], () => s.start, v => { s.start = v; });
    const part = Object.fromEntries(rows.map(([row]) => [row.dataset.name, row]));
    const node = el("div", { class: "controls" }, Object.keys(part).filter(free).map(name => part[name]));
    const sync = () => {
      part.at.querySelector("input").max = counts();
      rows.forEach(([, show]) => show());
      part.T.querySelector("input").disabled = data.grids[s.grid].begins !== "T";
      part.at.querySelector("span").firstChild.textContent = view.even ? "Step size h" : "Number of steps";
    };
    sync();
    return { node, sync };
  }

  function chips(view, changed) {
    const node = el("div", { class: "chips" });
    const sync = () => {
      const s = view.now, others = Object.keys(data.looks).filter(n => Engine.exactly(n) && !s.schemes.includes(n));
      const add = el("select", { "aria-label": "Add a scheme" }, el("option", { value: "" }, "+ scheme"), Object.entries(data.families).map(([key, title]) =>
        el("optgroup", { label: title }, others.filter(n => look(n).family === key).map(n => el("option", { value: n }, `${n}, ${look(n).title}`)))));
      add.onchange = () => { s.schemes.push(add.value); changed(); };
      node.replaceChildren(...s.schemes.map(name => el("button", {
        type: "button", class: "chip", style: `--own: ${Chart.readable(colour(name))}`, title: `${look(name).title}: leave out`, "aria-label": `Leave out ${name}`, disabled: s.schemes.length < 2,
        onclick: () => { s.schemes.splice(s.schemes.indexOf(name), 1); changed(); },
      }, name)), add);
    };
    sync();
    return { node, sync };
  }

  // ---------------------------------------------------------------- the picture of a scene

  class View {
    constructor(scene, own) {
      this.scene = scene, this.own = own;
      this.live = scene.live ? new Live(scene, own.settings) : null;
      this.moves = scene.page === "particles";
    }

    // All of a scene beneath its question, once it is revealed.
    build() {
      const { scene, live } = this;
      this.takeaway = el("p", { class: "takeaway" });
      this.keys = el("div", { class: "keys" });
      this.note = el("p", { class: "moved", hidden: true });
      this.picture = el("figure", { class: `picture${this.moves ? " film" : ""}` });
      this.side = el("aside", { class: "side" });
      this.answer = el("div", { class: "answer" });
      const change = () => this.change();
      if (live) {
        this.controls = controls(live, change);
        this.chips = live.live.fixed.includes("schemes") ? { node: "", sync() {} } : chips(live, change);
        this.reset = el("button", { type: "button", class: "plain", hidden: true, onclick: () => { this.own.settings = null; render(); } }, "Back to the lesson’s settings");
      }
      if (this.moves) {
        this.player = new Film.Player(this.picture, frame => this.mark(frame));
        this.distances = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        this.distances.setAttribute("role", "img");
        this.side.append(el("figure", { class: "small" }, this.distances));
      } else {
        this.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        this.svg.setAttribute("role", "img");
        this.picture.append(...[this.chips?.node, this.svg].filter(Boolean));
        if (live || scene.film) {
          const small = el("div", { class: "film" });
          this.player = new Film.Player(small);
          this.side.append(small);
        }
      }
      if (live && this.moves) this.picture.prepend(this.chips.node);
      if (live) this.side.append(this.controls.node, this.reset);
      const facts = el("div", { class: "facts" }, scene.tables.map(t => fold(t.title, grid(t))), scene.notes.length ? fold(`${scene.notes.length} note${scene.notes.length > 1 ? "s" : ""}`, el("ul", {}, scene.notes.map(n => el("li", {}, n)))) : null);
      // The answer stands beside the picture; under it where the controls are.
      const shown = el("div", { class: "shown" }, this.takeaway, this.keys, this.picture);
      this.under = live && !presenting();
      if (this.under) shown.append(this.answer);
      else this.side.prepend(this.answer);
      const glide = this.player ? el("p", { class: "small-print" }, "Grey lines: the target. Between steps particles glide; only the steps are computed.") : null;
      const parts = [el("div", { class: "stage" }, shown, this.side), this.note, glide, facts];
      this.watch = new ResizeObserver(() => this.draw());
      requestAnimationFrame(() => this.picture.isConnected && this.watch.observe(this.picture));
      return parts.filter(Boolean);
    }

    async start() {
      this.tell();
      this.draw();
      if (this.scene.film && !this.live) {
        const film = await Film.unpack(this.scene.film, colour, this.moves).catch(() => null);
        if (!film) {
          this.note.hidden = false;
          this.note.textContent = "This browser is too old to unpack the particles; the numbers are all here.";
          return this.draw();
        }
        if (shown !== this) return;
        this.player.load(film, !this.moves);
      } else if (this.live) {
        this.roll();
      }
      this.draw();
      if (this.moves && !still.matches && !this.own.played) { this.own.played = true; this.player.play(); }
    }

    change() {
      const begun = performance.now();
      this.own.settings = this.live.now;
      this.controls.sync();
      this.chips.sync();
      this.draw();
      REDRAWS.push(performance.now() - begun);
      this.tell();
      // The particles come after the picture of the laws, at most once a frame.
      this.waits ||= requestAnimationFrame(() => { this.waits = 0; if (shown === this) this.roll(); });
    }

    roll() { if (this.player) this.player.load(this.live.film(this.moves ? 600 : 300), !this.moves && !this.player.playing); }

    // Pictures in the size that there is.
    draw() {
      if (!this.picture.clientWidth) return; // nor has a page any size in a frame that is hidden, as on a slide to come
      const font = presenting() ? 20 : 14, size = { font, line: presenting() ? 3 : 2.2, mark: presenting() ? 10 : 8 };
      // What stands below is to be seen with the picture, the answer as well as its button.
      const below = this.under && this.answer.isConnected ? this.answer.offsetHeight + 16 : 0;
      if (this.moves) {
        const box = this.distances.parentNode;
        this.frame = undefined;
        this.small = { ...size, font: font * 0.9, width: box.clientWidth, height: Math.min(280, Math.max(180, box.clientWidth * 0.7)), id: "clip-small" };
        this.mark(this.latest ?? null);
        // Whole in the window: as many squares beside each other as there are clouds.
        const clouds = this.player.clouds, many = clouds.children.length, place = clouds.getBoundingClientRect().top + scrollY;
        clouds.style.maxWidth = innerWidth > 900 && many ? `${Math.max(140, innerHeight - place - below - 4.6 * font) * many + 13 * (many - 1)}px` : "";
        this.player.fit();
        return;
      }
      const top = this.svg.getBoundingClientRect().top + scrollY;
      const height = Math.max(280, Math.min(620, innerHeight - top - below - (presenting() ? 16 : 30)));
      Chart.draw(this.svg, this.spec(), { ...size, width: this.picture.clientWidth, height: innerWidth < 700 ? 340 : height, id: "clip-picture" });
      this.svg.setAttribute("aria-label", this.scene.takeaway);
    }

    series() {
      return (this.live ? this.live.series() : this.scene.curve.series).map(s => ({
        ...s, name: s.scheme, colour: colour(s.scheme), dash: look(s.scheme).dash, marker: look(s.scheme).marker,
        boundLabel: this.scene.curve.bounds ? `${s.scheme} bound` : "",
      }));
    }

    spec() {
      const { curve } = this.scene, series = this.latestSeries = this.series(), { live } = this;
      const even = live ? live.even && curve.x === "h" : curve.x === "h";
      const x = even ? { title: "step size h", log: true, ticks: "halves" } : { title: curve.x === "evals" ? curve.xTitle : "number of steps N", log: true, ticks: "doubles" };
      const N = live ? live.N : this.scene.film?.acts.at(-1).steps.at(-1), at = series[0]?.points.find(p => p.N === N)?.x;
      const lines = Object.entries(live?.moved ? {} : this.own.guess.slopes || {}).flatMap(([name, slope]) => {
        const s = series.find(one => one.scheme === name), known = s?.points.filter(p => p.y > 0).sort((a, b) => a.N - b.N) || [], first = known.find(p => p.filled) || known[0];
        if (!first) return [];
        const fine = known.at(-1), ends = [first, fine].map(p => [p.x, first.y * (first.N / p.N) ** slope]).sort((a, b) => a[0] - b[0]);
        return [{ x: ends.map(e => e[0]), y: ends.map(e => e[1]), colour: s.colour, dash: "dashdot", label: `your guess, ${HALF[slope]}` }];
      });
      return { x, y: { title: live ? "W₂ (exact)" : curve.yTitle }, series, lines, slopes: [0.5, 1, 2], at };
    }

    // The distances so far, with the place of the film.
    mark(frame) {
      this.latest = frame;
      if (!this.moves || !this.small?.width || frame === this.frame) return;
      this.frame = frame;
      const film = this.player.film, { n, series } = this.scene.distances;
      const own = film?.distances && this.live ? film.panels.map((p, i) => ({ scheme: p.name, n: film.acts.at(-1).steps, y: film.distances[i] || [] })) : series.map(s => ({ ...s, n }));
      const drawn = own.map(s => ({
        name: s.scheme, label: "", colour: colour(s.scheme), dash: look(s.scheme).dash, marker: s.n.length > 40 ? "" : look(s.scheme).marker,
        points: s.n.map((x, i) => ({ x, y: s.y[i], half: 0, filled: true, says: `${s.scheme}, step ${x}: W₂ ${number(s.y[i] ?? null)}` })).filter(p => p.y > 1e-9),
      }));
      Chart.draw(this.distances, { x: { title: "step n", log: false, ticks: "even", whole: true }, y: { title: "W₂ so far" }, series: drawn, at: frame || 0 }, { ...this.small, mark: this.small.mark * 0.75 });
      this.distances.setAttribute("aria-label", this.scene.takeaway);
    }

    // The words beside the picture.
    tell() {
      const { scene, live } = this, series = live && !this.moves ? this.latestSeries || this.series() : null;
      const moving = live && this.moves ? this.ends() : null;
      // What nobody was asked to guess may still be thought about.
      const waits = !scene.guess && scene.answer && this.own.stage < 2;
      this.takeaway.hidden = this.keys.hidden = waits;
      this.takeaway.textContent = series ? live.takeaway(series) : moving ? moving.takeaway : scene.takeaway;
      const keys = series ? live.keys(series) : moving ? moving.keys : scene.keys;
      this.keys.replaceChildren(...keys.map(k => el("div", {}, el("b", {}, k.value), el("span", {}, k.label))));
      if (!live) return;
      this.reset.hidden = !live.moved && live.now.schemes.join() === live.begun.schemes.join();
      const gone = live.hidden(), equal = live.equal();
      this.note.hidden = !live.moved && !equal.length;
      this.note.textContent = [
        live.moved ? "A setting has moved: the picture is computed here, the answer and the tables are those of the lesson." : "",
        equal.length ? `${listed(equal)} reach${equal.length > 1 ? "" : "es"} the target without an error that double precision shows.` : "",
        gone.length ? `${listed(gone)} ${gone.length > 1 ? "are" : "is"} hidden: with a random midpoint the law is a mixture, whose distance only the lab computes.` : "",
      ].join(" ");
    }

    ends() {
      const { live, scene } = this, p = live.problem, N = live.N;
      if (!live.moved && N === live.live.at && live.now.schemes.join() === live.begun.schemes.join()) return scene;
      const found = live.now.schemes.filter(Engine.exactly).map(name => [name, Engine.w2(p, name, N)]);
      return {
        keys: found.slice(0, 4).map(([name, w]) => ({ value: number(w), label: `W₂ of ${name}, ${live.place(N)}` })),
        takeaway: `With ${live.place(N)} (${N} steps) ${found.map(([name, w]) => `${name} ends at W₂ = ${number(w)}`).join("; ")}.`,
      };
    }

    close() {
      this.watch?.disconnect();
      this.player?.close();
    }
  }

  const fold = (title, content) => el("details", {}, el("summary", {}, title), el("div", { class: "wide", tabindex: 0, role: "region", "aria-label": title }, content));
  const grid = t => el("table", {}, el("thead", {}, el("tr", {}, t.columns.map(c => el("th", { scope: "col" }, c)))), el("tbody", {}, t.rows.map(r => el("tr", {}, r.map(c => el("td", {}, c))))));

  // ---------------------------------------------------------------- guess and answer

  const ALONE = "Your guess"; // the label of a question that stands above it already

  function guessing(scene, own) {
    const { guess } = scene, rows = [];
    const ask = (label, options, get, set) => {
      const buttons = options.map(([value, text]) => el("button", { type: "button", "aria-pressed": String(get() === value), onclick: () => { set(value); sync(); } }, text));
      const sync = () => { buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(get() === options[i][0]))); refresh(); };
      rows.push(el("div", { class: "ask", role: "group", "aria-label": label }, label === ALONE ? null : el("span", {}, label), el("div", { class: options.every(o => o[1].length < 6) ? "short" : "long" }, buttons)));
    };
    const go = el("button", { type: "button", class: "primary", id: "show", onclick: advance });
    const refresh = () => {
      const open = guess.schemes.some(name => own.guess.slopes?.[name] === undefined) || (guess.options.length && own.guess.choice === undefined);
      go.textContent = open ? "Show without guessing" : "Show";
      go.classList.toggle("quiet", Boolean(open));
    };
    for (const name of guess.schemes) ask(`Slope of ${name}`, SLOPES, () => own.guess.slopes?.[name], v => { (own.guess.slopes ||= {})[name] = v; });
    if (guess.options.length) ask(ALONE, guess.options.map(text => [text, text]), () => own.guess.choice, v => { own.guess.choice = v; });
    refresh();
    return el("div", { class: "guess" }, el("div", { class: "asks", html: guess.asks }), rows, go);
  }

  function answered(scene, own, host) {
    if (!scene.answer) return host.remove();
    if (own.stage < 2) return host.replaceChildren(el("button", { type: "button", class: "primary", id: "reveal", onclick: advance }, "Show the answer"));
    const { choice, slopes } = own.guess, said = [];
    if (choice !== undefined) said.push(`You said ${choice}: ${choice === scene.guess.right ? "right" : `it is ${scene.guess.right}`}.`);
    for (const [name, slope] of Object.entries(slopes || {})) {
      const measured = scene.curve.series.find(s => s.scheme === name)?.label.replace("slope", "measured");
      said.push(`You said ${HALF[slope]} for ${name}${measured ? `; ${measured}` : ""}.`);
    }
    host.replaceChildren(...[said.length ? el("p", { class: "said" }, said.join(" ")) : null, el("div", { html: scene.answer })].filter(Boolean));
  }

  // ---------------------------------------------------------------- the page

  function render() {
    const scene = data.scenes[now], own = memory[now];
    shown?.close();
    shown = null;
    const head = [el("h1", {}, scene.question), scene.text ? el("p", { class: "lead" }, scene.text) : null];
    if (own.stage === 0) {
      main.replaceChildren(...head.filter(Boolean), guessing(scene, own));
    } else {
      shown = new View(scene, own);
      main.replaceChildren(...head.filter(Boolean), ...shown.build());
      answered(scene, own, shown.answer);
      shown.start();
    }
    main.dataset.stage = own.stage;
    main.dataset.scene = scene.name;
    document.querySelectorAll("nav button").forEach((b, i) => { i === now ? b.setAttribute("aria-current", "true") : b.removeAttribute("aria-current"); });
    find("before").disabled = now === 0;
    find("after").disabled = now === data.scenes.length - 1;
  }

  function advance() {
    const own = memory[now], last = data.scenes[now].answer ? 2 : 1;
    if (own.stage >= last) return;
    own.stage += 1;
    if (own.stage === 1) return render();
    main.dataset.stage = own.stage;
    answered(data.scenes[now], own, shown.answer);
    shown.tell();
    shown.draw();
    shown.answer.scrollIntoView({ block: "nearest" });
  }

  function go(to) {
    if (to < 0 || to >= data.scenes.length || (to === now && main.firstChild)) return;
    now = to;
    render();
    scrollTo(0, 0);
    try { history.replaceState(null, "", `#${data.scenes[now].name}${presenting() ? "+present" : ""}`); } catch { /* a page without an address */ }
  }

  function themed() {
    root.dataset.theme = chosen || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  }

  function present(on) {
    root.classList.toggle("present", on);
    find("present").setAttribute("aria-pressed", String(on));
    render();
  }

  function full() {
    const done = document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen?.();
    done?.catch(() => {}); // a frame may not be allowed to
  }

  function pressed(event) {
    const { key, target } = event, typing = target.matches?.("input, select, .wide");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "Escape" && presenting()) return present(false);
    if (typing && !/^[a-z]$/i.test(key)) return;
    if (target.matches?.("select")) return;
    const act = {
      ArrowRight: () => go(now + 1), PageDown: () => go(now + 1), ArrowLeft: () => go(now - 1), PageUp: () => go(now - 1),
      f: full, p: () => present(!presenting()), l: turn,
      " ": () => { memory[now].stage < (data.scenes[now].answer ? 2 : 1) ? advance() : shown?.player?.toggle(); },
    }[key.length === 1 ? key.toLowerCase() : key];
    if (/^[1-9]$/.test(key)) return go(Number(key) - 1);
    if (!act || (key === " " && target.matches?.("button, summary"))) return;
    event.preventDefault();
    act();
  }

  function turn() {
    chosen = dark() ? "light" : "dark";
    themed();
    render();
  }

  function begin() {
    document.querySelector("nav").append(...data.scenes.map((s, i) => el("button", { type: "button", title: s.question, "aria-label": `Scene ${i + 1}: ${s.question}`, onclick: () => go(i) }, String(i + 1))));
    document.querySelector(".made").textContent = `dlab ${data.version}`;
    find("before").onclick = () => go(now - 1);
    find("after").onclick = () => go(now + 1);
    find("theme").onclick = turn;
    find("present").onclick = () => present(!presenting());
    find("full").onclick = full;
    addEventListener("keydown", pressed);
    // Space goes on after a click; who came by the keyboard stays where they are.
    addEventListener("click", event => { if (event.detail) event.target.closest?.("button")?.blur(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { themed(); render(); });
    addEventListener("resize", () => shown?.draw());
    addEventListener("hashchange", open);
    themed();
    open();
  }

  // The scene that the address names after its #, a name or a number, with +present in presentation mode.
  function open() {
    const [name, how] = location.hash.slice(1).split("+"), at = data.scenes.findIndex((s, i) => s.name === name || String(i + 1) === name);
    root.classList.toggle("present", how === "present");
    find("present").setAttribute("aria-pressed", String(how === "present"));
    if (at >= 0) now = at;
    render();
  }

  begin();
  return { data, redraws: REDRAWS, get view() { return shown; } };
})();
