// Clouds of particles on canvases, side by side, played frame by frame. Between two frames particles glide.
//
// film   panels [{ name, colour }], acts [{ label, steps, times, clouds: a Float32Array (frames, count, 2) for each panel }],
//        count, box [x0, x1, y0, y1], contours [[x, y, ...], ...] of the target, distances: for each panel one number or null a
//        frame of the last act
"use strict";
const Film = (() => {
  const GONE = 1023, MARGIN = 0.1, NOISING = 3, PACE = [0.1, 1.2], WHOLE = 16;

  // The film of a packed movie (dlab/lesson/film.py); full: with the schemes' titles. DecompressionStream is part of every browser since 2023.
  async function unpack(movie, colours, full) {
    const bytes = Uint8Array.from(atob(movie.clouds), c => c.charCodeAt(0));
    const raw = new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());
    const half = raw.length / 2, [x0, x1, y0, y1] = movie.box, { count } = movie;
    let at = 0;
    const take = frames => {
      const out = new Float32Array(frames * count * 2);
      for (let i = 0; i < out.length; i++, at++) {
        const code = raw[at] | raw[half + at] << 8, share = code / (GONE - 1) * (1 + 2 * MARGIN) - MARGIN;
        out[i] = code === GONE ? NaN : i % 2 ? y0 + share * (y1 - y0) : x0 + share * (x1 - x0);
      }
      return out;
    };
    const acts = movie.acts.map(act => {
      const clouds = movie.panels.map((_, i) => act.shared && i ? null : take(act.frames));
      return { ...act, clouds: clouds.map(c => c || clouds[0]) };
    });
    const place = line => line.map((v, i) => i % 2 ? y0 + v / 1000 * (y1 - y0) : x0 + v / 1000 * (x1 - x0));
    return {
      box: movie.box, count, acts, contours: movie.contours.flat().map(place),
      panels: movie.panels.map(p => ({ name: full ? p.name : p.scheme, colour: colours(p.scheme) })), distances: movie.distances,
    };
  }

  class Player {
    constructor(host, told = () => {}) {
      this.told = told, this.at = 0, this.playing = false;
      host.innerHTML = `<div class="clouds"></div><div class="play"><button type="button" class="round" aria-label="Play"></button>
        <input type="range" min="0" step="any" value="0" aria-label="Place in the film"><output></output></div>`;
      [this.clouds, this.button, this.slider, this.output] = ["div", "button", "input", "output"].map(q => host.querySelector(q));
      this.button.onclick = () => this.playing ? this.stop() : this.play();
      this.slider.oninput = () => { this.stop(); this.show(Number(this.slider.value)); };
      this.watch = new ResizeObserver(() => this.fit());
      this.watch.observe(this.clouds);
    }

    // A film in the place of the one before; end: show its last frame.
    load(film, end = false) {
      const same = this.film && this.film.panels.length === film.panels.length;
      this.film = film;
      if (!same) {
        this.clouds.innerHTML = film.panels.map(() => `<figure><figcaption></figcaption><canvas></canvas></figure>`).join("");
        this.canvases = [...this.clouds.querySelectorAll("canvas")];
        this.titles = [...this.clouds.querySelectorAll("figcaption")];
      }
      film.panels.forEach((p, i) => { this.titles[i].style.color = Chart.readable(p.colour); });
      this.marks = []; // seconds at which each frame stands, over all acts
      let clock = 0;
      film.acts.forEach((act, a) => {
        const frames = act.times.length, first = a < film.acts.length - 1;
        const pace = first ? NOISING / frames : Math.min(PACE[1], Math.max(PACE[0], WHOLE / Math.max(1, frames - 1)));
        for (let i = 0; i < frames; i++) this.marks.push({ act: a, frame: i, at: clock += i ? pace : a ? 0.6 : 0, glides: i > 0 });
      });
      this.length = clock;
      this.slider.max = clock;
      this.fit();
      this.show(end ? clock : Math.min(this.at, clock));
    }

    fit() {
      if (!this.film) return;
      const ratio = devicePixelRatio || 1;
      for (const canvas of this.canvases) {
        const side = Math.round(canvas.clientWidth * ratio);
        if (side && canvas.width !== side) canvas.width = canvas.height = side;
      }
      this.draw();
    }

    show(at) {
      this.at = at;
      this.slider.value = at;
      this.draw();
    }

    draw() {
      if (!this.film) return;
      const { marks } = this, next = marks.findIndex(m => m.at > this.at + 1e-9), b = next < 0 ? marks.length - 1 : next;
      const to = marks[b], from = b && to.glides ? marks[b - 1] : next < 0 ? to : marks[Math.max(0, b - 1)];
      const share = to.glides && to !== from ? Math.min(1, (this.at - from.at) / (to.at - from.at)) : 0;
      const act = this.film.acts[from.act], frame = share === 1 ? to.frame : from.frame;
      this.film.panels.forEach((panel, i) => this.paint(this.canvases[i], panel, act.clouds[i], from.frame, to.glides ? to.frame : from.frame, share));
      const last = act.steps.at(-1), noising = from.act < this.film.acts.length - 1;
      this.output.textContent = noising ? `${act.label}, t = ${act.times[frame].toFixed(2)}` : `step ${act.steps[frame]} of ${last}, t = ${act.times[frame].toFixed(2)}`;
      this.film.panels.forEach((panel, i) => {
        const w = !noising && this.film.distances?.[i]?.[frame];
        const value = typeof w === "number" ? `\u2003${this.canvases[i].clientWidth < 150 ? "" : "W₂ = "}${Chart.number(w)}` : "";
        // Where there is no room for both, its short name.
        this.titles[i].textContent = (this.canvases[i].clientWidth < 220 ? panel.name.split(" · ")[0] : panel.name) + value;
      });
      this.told(noising ? null : frame);
    }

    paint(canvas, panel, cloud, from, to, share) {
      const pen = canvas.getContext("2d"), side = canvas.width, [x0, x1, y0, y1] = this.film.box, { count } = this.film;
      if (!side) return;
      const X = x => (x - x0) / (x1 - x0) * side, Y = y => side - (y - y0) / (y1 - y0) * side, style = getComputedStyle(canvas), ratio = devicePixelRatio || 1;
      pen.clearRect(0, 0, side, side);
      pen.strokeStyle = style.getPropertyValue("--faint");
      pen.lineWidth = 1.2 * ratio;
      for (const line of this.film.contours) {
        pen.beginPath();
        for (let i = 0; i < line.length; i += 2) pen.lineTo(X(line[i]), Y(line[i + 1]));
        pen.stroke();
      }
      pen.fillStyle = panel.colour;
      pen.globalAlpha = Number(style.getPropertyValue("--cloud"));
      const r = Math.max(1.3, side / ratio / 230) * ratio, a = from * count * 2, b = to * count * 2;
      pen.beginPath();
      for (let j = 0; j < 2 * count; j += 2) {
        const x = X(cloud[a + j] + share * (cloud[b + j] - cloud[a + j])), y = Y(cloud[a + j + 1] + share * (cloud[b + j + 1] - cloud[a + j + 1]));
        if (x > -r && x < side + r && y > -r && y < side + r) { pen.moveTo(x + r, y); pen.arc(x, y, r, 0, 7); }
      }
      pen.fill();
      pen.globalAlpha = 1;
    }

    play() {
      if (!this.film) return;
      if (this.at >= this.length - 1e-6) this.at = 0;
      this.playing = true;
      this.button.classList.add("on");
      this.button.setAttribute("aria-label", "Pause");
      let before = performance.now();
      const tick = now => {
        if (!this.playing) return;
        this.show(Math.min(this.length, this.at + (now - before) / 1000));
        before = now;
        if (this.at >= this.length) this.stop(); else requestAnimationFrame(tick);
      };
      requestAnimationFrame(tick);
    }

    stop() {
      this.playing = false;
      this.button.classList.remove("on");
      this.button.setAttribute("aria-label", "Play");
    }

    toggle() { this.playing ? this.stop() : this.play(); }

    close() { this.stop(); this.watch.disconnect(); }
  }

  return { Player, unpack };
})();
