// Grids of grey images that form: one canvas a scheme, all at the same frame. Python hears nothing of it.

const LEVELS = 15, GAP = 1, PAUSE = 450;
const MOST = 8, SMALLEST = 96, LARGEST = 112; // images of a scheme, and px of each: pictures, not a texture
const shown = new WeakMap();

export default function mount({ parentElement, data }) {
  const root = parentElement.querySelector(".grids");
  shown.get(root)?.abort();
  const stop = new AbortController();
  shown.set(root, stop);
  build(root, data, stop.signal).catch(error => { if (!stop.signal.aborted) throw error; });
  return () => stop.abort();
}

async function pixels(text) {
  const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer()), grey = new Uint8Array(2 * packed.length);
  packed.forEach((b, i) => { grey[2 * i] = b >> 4; grey[2 * i + 1] = b & 15; });
  return grey;
}

async function build(root, data, signal) {
  const { side, count, times, panels, alt, signs } = data;
  const decoded = await Promise.all(panels.map(p => pixels(p.frames)));
  const taken = await Promise.all(panels.map(p => p.minus && pixels(p.minus)));
  const ends = signs.map(hex => [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16)));
  if (signal.aborted) return;
  const tiles = root.querySelector(".tiles"), slider = root.querySelector("input"), clock = root.querySelector(".clock");
  const most = Math.min(count, MOST);
  let seen = most, across = 0, width = 0, height = 0;
  tiles.setAttribute("aria-label", alt);
  const drawn = panels.map((panel, i) => {
    const figure = document.createElement("figure"), head = document.createElement("figcaption");
    const canvas = document.createElement("canvas"), note = document.createElement("small");
    head.textContent = panel.name;
    if (panel.colour) head.style.setProperty("--own", panel.colour);
    else figure.className = "plain";
    note.textContent = panel.note;
    const words = document.createElement("div"), picture = document.createElement("div");
    words.append(head, note);
    picture.append(canvas);
    figure.append(words, picture);
    return { figure, canvas, grey: decoded[i], minus: taken[i], last: decoded[i].length / (count * side * side) | 0, refused: panel.refused };
  });
  tiles.replaceChildren(...drawn.map(d => d.figure));
  slider.max = times.length - 1;
  root.querySelector(".bar").hidden = times.length === 1;
  let frame = Math.min(slider.dataset.at ?? times.length - 1, times.length - 1), timer = 0;

  function show(at) {
    frame = at;
    slider.value = at;
    slider.dataset.at = at;
    const t = times[at].toFixed(2);
    slider.setAttribute("aria-valuetext", `t = ${t}`);
    clock.textContent = at < times.length - 1 ? `t = ${t}` : `t = ${t}, the end`;
    for (const d of drawn) paint(d, Math.min(at, d.last - 1));
  }

  // As many in a row as have their size, all of a scheme in one row where there is room.
  function lay() {
    const room = drawn[0].canvas.parentElement.clientWidth;
    const fit = [8, 4, 3, 2].find(n => n <= most && n * SMALLEST <= room) ?? 1;
    if (fit === across) return;
    across = fit;
    seen = most - most % fit; // whole rows
    [width, height] = [across, Math.ceil(seen / across)].map(n => n * (side + GAP) - GAP);
    for (const { canvas } of drawn) {
      Object.assign(canvas, { width, height });
      canvas.style.aspectRatio = `${width} / ${height}`;
      canvas.style.maxWidth = `${across * LARGEST}px`;
    }
  }

  // A difference: nothing where there is none, else one colour for less and one for more.
  function signed(by) {
    return [...ends[+(by > 0)], Math.round(255 * Math.abs(by))];
  }

  function paint({ canvas, grey, minus, refused }, at) {
    const context = canvas.getContext("2d"), image = context.createImageData(width, height);
    image.data.fill(0);
    for (let k = 0; k < seen; k++) {
      const gone = refused && refused[k] >= 0 && refused[k] <= at;
      const left = (k % across) * (side + GAP), top = Math.floor(k / across) * (side + GAP);
      for (let r = 0; r < side; r++) for (let c = 0; c < side; c++) {
        const i = (k * side + r) * side + c, value = grey[at * count * side * side + i] / LEVELS;
        const shade = minus ? signed(value - minus[i] / LEVELS) : [255 * value, 255 * value, 255 * value, 255];
        const o = 4 * ((top + r) * width + left + c);
        const cross = gone && (r === c || r + c === side - 1);
        image.data.set(gone ? (cross ? [213, 94, 0, 255] : [128, 128, 128, 90]) : shade, o);
      }
    }
    context.putImageData(image, 0, 0);
  }

  function play(on) {
    clearInterval(timer);
    root.classList.toggle("playing", on);
    root.querySelector("button").setAttribute("aria-label", on ? "Pause" : "Play");
    if (!on) return;
    if (frame === times.length - 1) show(0);
    timer = setInterval(() => { show(frame + 1); if (frame === times.length - 1) play(false); }, PAUSE);
  }

  signal.addEventListener("abort", () => clearInterval(timer));
  slider.addEventListener("input", () => { play(false); show(+slider.value); }, { signal });
  root.querySelector("button").addEventListener("click", () => play(!root.classList.contains("playing")), { signal });
  root.addEventListener("keydown", event => {
    const to = { ArrowLeft: frame - 1, ArrowRight: frame + 1, Home: 0, End: times.length - 1 }[event.key];
    if (event.target !== slider && to !== undefined) { play(false); show(Math.max(0, Math.min(times.length - 1, to))); }
    else if (event.key === " " && event.target === root) play(!root.classList.contains("playing"));
    else return;
    event.preventDefault();
  }, { signal });
  const watch = new ResizeObserver(() => { const before = across; lay(); if (across !== before) show(frame); });
  signal.addEventListener("abort", () => watch.disconnect());
  play(false);
  lay();
  show(frame);
  watch.observe(tiles);
}
