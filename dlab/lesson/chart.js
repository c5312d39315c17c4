// Draws curves as SVG: points, lines between them, bands, dotted bounds, labels at the ends. It knows nothing of the lab.
//
// spec   x { title, log, ticks: "halves" | "doubles" | "even" }, y { title }
//        series [{ name, label, colour, dash, marker, boundLabel,
//                  points: [{ x, y, half, lower, upper, bound, filled, says }] }]; a point without y is drawn as lost
//        lines [{ x, y: [two ends], colour, dash, label }]     slopes of the reference triangles     at: an x that is marked
// size   { width, height, font, line, mark } in px
"use strict";
const Chart = (() => {
  const DASHES = { solid: "", dash: "8 5", longdash: "14 6", dot: "2 5", dashdot: "10 5 2 5" };
  const POWERS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
  const esc = text => String(text).replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`);
  const raised = n => String(n).replace(/./g, c => POWERS[c]);

  // Three significant digits, ×10ⁿ below 10⁻³, a true minus.
  function number(v) {
    if (v === null || !Number.isFinite(v)) return "–";
    if (v === 0) return "0";
    const size = Math.abs(Number(v.toPrecision(3))), power = Math.floor(Math.log10(size) + 1e-12);
    const text = size < 1e-3 || size >= 1e6 ? `${(size / 10 ** power).toFixed(2)}×10${raised(power)}` : size.toFixed(Math.max(0, 2 - power));
    return v < 0 ? `−${text}` : text;
  }

  // A power of two as one, 1/16.
  function step(h) {
    const power = Math.log2(h);
    if (Math.abs(power - Math.round(power)) < 1e-9) return power < -0.5 ? `1/${2 ** -Math.round(power)}` : String(2 ** Math.round(power));
    return String(Number(h.toPrecision(3)));
  }

  const polygon = (n, r, turn) => Array.from({ length: n }, (_, i) => {
    const a = turn + 2 * Math.PI * i / n;
    return `${(r * Math.sin(a)).toFixed(2)} ${(-r * Math.cos(a)).toFixed(2)}`;
  });
  const closed = points => `M${points.join("L")}Z`;
  // The path of a marker about 0, r its half width.
  function marker(name, r) {
    switch (name) {
      case "square": return closed(polygon(4, 1.25 * r, Math.PI / 4));
      case "diamond": return closed(polygon(4, 1.3 * r, 0));
      case "triangle-up": return closed(polygon(3, 1.3 * r, 0));
      case "triangle-down": return closed(polygon(3, 1.3 * r, Math.PI));
      case "triangle-left": return closed(polygon(3, 1.3 * r, -Math.PI / 2));
      case "triangle-right": return closed(polygon(3, 1.3 * r, Math.PI / 2));
      case "pentagon": return closed(polygon(5, 1.15 * r, 0));
      case "hexagon": return closed(polygon(6, 1.15 * r, 0));
      case "star": {
        const outer = polygon(5, 1.35 * r, 0), inner = polygon(5, 0.6 * r, Math.PI / 5);
        return closed(outer.flatMap((p, i) => [p, inner[i]]));
      }
      case "x": return `M${-r} ${-r}L${r} ${r}M${-r} ${r}L${r} ${-r}`;
      case "cross": return `M0 ${-1.2 * r}V${1.2 * r}M${-1.2 * r} 0H${1.2 * r}`;
      default: return `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
    }
  }

  // A colour of a line as that of a word, which needs more contrast.
  const readable = colour => `color-mix(in srgb, ${colour} 70%, var(--ink))`;

  const pen = document.createElement("canvas").getContext("2d");
  function width(text, font, family) {
    pen.font = `600 ${font}px ${family}`;
    return pen.measureText(text).width;
  }

  function ticks(axis, low, high, room) {
    if (axis.ticks === "even") {
      const most = Math.max(2, Math.floor(room)), rough = (high - low) / most, base = 10 ** Math.floor(Math.log10(rough));
      const gap = Math.max(axis.whole ? 1 : 0, [1, 2, 5, 10].map(m => m * base).find(g => g >= rough));
      const found = [];
      for (let v = Math.ceil(low / gap - 1e-9) * gap; v <= high * (1 + 1e-9) + 1e-12; v += gap) found.push([v, String(Number(v.toPrecision(6)))]);
      return found;
    }
    if (axis.ticks === "halves" || axis.ticks === "doubles") {
      const first = Math.ceil(Math.log2(low) - 1e-9), last = Math.floor(Math.log2(high) + 1e-9), by = Math.max(1, Math.ceil((last - first + 1) / room));
      const found = [];
      for (let k = last; k >= first; k -= by) found.push([2 ** k, axis.ticks === "halves" ? step(2 ** k) : String(2 ** k)]);
      return found;
    }
    const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9), by = Math.max(1, Math.ceil((last - first + 1) / room));
    const found = [];
    for (let k = first; k <= last; k += by) found.push([10 ** k, k === 0 ? "1" : k === 1 ? "10" : `10${raised(k)}`]);
    if (found.length < 2) for (let k = first - 1; k <= last; k++) for (const m of [2, 5]) {
      const v = m * 10 ** k;
      if (v >= low && v <= high) found.push([v, number(v)]);
    }
    return found;
  }

  // Limits of y about all that is drawn; a bound far above the points leaves the picture at its top.
  function limits(spec, headroom = 2000) {
    const values = spec.series.flatMap(s => s.points.map(p => p.y).filter(y => y > 0));
    if (!values.length) return [0.01, 1];
    const top = Math.max(...values), all = [...values];
    for (const s of spec.series) for (const p of s.points) {
      for (const v of [s.boundLabel ? p.bound : 0, p.lower, p.upper, p.y + p.half]) if (v > 0 && v <= headroom * top) all.push(v);
    }
    return [Math.min(...all), Math.max(...all)];
  }

  function draw(svg, spec, size) {
    const { width: W, height: H, font, line, mark } = size, family = getComputedStyle(svg).fontFamily, narrow = W < 520;
    const series = spec.series.filter(s => s.points.some(p => p.x > 0 || !spec.x.log));
    const xs = series.flatMap(s => s.points.map(p => p.x)), log = v => Math.log10(v);
    let [x0, x1] = [Math.min(...xs), Math.max(...xs)], [y0, y1] = limits(spec);
    if (!xs.length) [x0, x1] = spec.x.log ? [0.1, 1] : [0, 1];
    if (spec.x.log) { x0 /= 1.25; x1 *= 1.12; } else if (x0 === x1) x1 = x0 + 1;
    const slopes = spec.slopes && x1 / x0 > 3 ? spec.slopes : [], falls = spec.x.ticks === "doubles";
    // The reference triangles stand in the lower corner where the curves are high, two octaves wide where there is room for it.
    const wide = x1 / x0 > 20 ? 4 : 2, from = falls ? x0 * 1.45 : x1 / 1.12 / wide, to = from * wide, steep = Math.max(0, ...slopes);
    y1 *= 1.6; y0 /= 1.6;
    if (slopes.length) {
      const above = series.flatMap(s => s.points.filter(p => p.y > 0 && p.x >= from / 1.5 && p.x <= to * 1.5).map(p => p.y));
      y0 = Math.min(y0, Math.min(...above, y1) / wide ** steep / 2.2);
    }
    const labels = series.filter(s => s.points.length).map(s => ({ s, text: narrow ? s.name : [s.name, s.label].filter(Boolean).join("\u2002") }));
    for (const s of series) if (s.boundLabel && s.points.some(p => p.bound > 0 && p.bound <= y1)) labels.push({ s, bound: true, text: narrow ? "bound" : s.boundLabel });
    for (const l of spec.lines || []) labels.push({ line: l, text: l.label });
    const end = Math.max(0, ...labels.map(l => width(l.text, font * 0.92, family)));
    const m = { left: font * 4.5, right: Math.min(end + font * 1.4, W * 0.42), top: font * 0.7, bottom: font * 3.2 };
    const w = W - m.left - m.right, h = H - m.top - m.bottom;
    const X = spec.x.log ? v => m.left + w * (log(v) - log(x0)) / (log(x1) - log(x0)) : v => m.left + w * (v - x0) / (x1 - x0);
    const Y = v => m.top + h * (log(y1) - log(Math.max(v, 1e-300))) / (log(y1) - log(y0)), inside = v => v >= y0 * 0.999 && v <= y1 * 1.001;
    const f = v => v.toFixed(1), out = [], put = (...parts) => out.push(...parts);

    for (const [v, text] of ticks({ ticks: "decades" }, y0, y1, h / (2.2 * font))) {
      put(`<path class="grid" d="M${f(m.left)} ${f(Y(v))}H${f(m.left + w)}"/>`);
      put(`<text class="tick" x="${f(m.left - 8)}" y="${f(Y(v) + font * 0.33)}" text-anchor="end">${text}</text>`);
    }
    for (const [v, text] of ticks(spec.x, x0, x1, w / (3.4 * font))) {
      put(`<path class="grid" d="M${f(X(v))} ${f(m.top)}V${f(m.top + h)}"/>`);
      put(`<text class="tick" x="${f(X(v))}" y="${f(m.top + h + font * 1.25)}" text-anchor="middle">${text}</text>`);
    }
    put(`<path class="axis" d="M${f(m.left)} ${f(m.top)}V${f(m.top + h)}H${f(m.left + w)}"/>`);
    put(`<text class="title" x="${f(m.left + w / 2)}" y="${f(H - font * 0.5)}" text-anchor="middle">${esc(spec.x.title)}</text>`);
    put(`<text class="title" transform="translate(${f(font * 0.9)} ${f(m.top + h / 2)}) rotate(-90)" text-anchor="middle">${esc(spec.y.title)}</text>`);
    if (spec.at) put(`<path class="at" d="M${f(X(spec.at))} ${f(m.top)}V${f(m.top + h)}"/>`);

    // Reference slopes, from the low corner.
    const foot = m.top + h - font * 0.5, decade = h / (log(y1) - log(y0));
    for (const s of slopes) {
      const [a, b] = falls ? [X(to), X(from)] : [X(from), X(to)], rise = s * log(wide) * decade;
      if (rise < h * 0.6) put(
        `<path class="slope" d="M${f(a)} ${f(foot)}L${f(b)} ${f(foot - rise)}"/>`,
        s === 0.5 && rise < font * 0.9 ? "" : `<text class="tick" x="${f(b + (falls ? -4 : 4))}" y="${f(foot - rise + font * 0.3)}" text-anchor="${falls ? "end" : "start"}">${{ 0.5: "½", 1.5: "1½" }[s] || s}</text>`);
    }
    if (slopes.length) { const [a, b] = [X(from), X(to)], top = foot - steep * log(wide) * decade, side = falls ? a : b; put(`<path class="slope" d="M${f(a)} ${f(foot)}H${f(b)}M${f(side)} ${f(foot)}V${f(top)}"/>`); }

    put(`<clipPath id="${size.id}"><rect x="${f(m.left)}" y="${f(m.top - mark)}" width="${f(w + mark)}" height="${f(h + 2 * mark)}"/></clipPath><g clip-path="url(#${size.id})">`);
    const way = points => points.map((p, i) => `${i ? "L" : "M"}${f(X(p[0]))} ${f(Y(p[1]))}`).join("");
    for (const s of series) {
      const band = s.points.filter(p => p.upper > 0);
      if (band.length > 1) put(`<path fill="${s.colour}" opacity=".13" d="${way([...band.map(p => [p.x, p.upper]), ...band.map(p => [p.x, Math.max(p.lower, y0)]).reverse()])}Z"/>`);
      const bound = s.points.filter(p => p.bound > 0);
      if (s.boundLabel && bound.length > 1) put(`<path class="bound" stroke="${s.colour}" stroke-width="${line * 0.7}" stroke-dasharray="${DASHES.dot}" d="${way(bound.map(p => [p.x, p.bound]))}"/>`);
      const known = s.points.filter(p => p.y > 0);
      if (known.length > 1) put(`<path class="line" stroke="${s.colour}" stroke-width="${line}" stroke-dasharray="${DASHES[s.dash] || ""}" d="${way(known.map(p => [p.x, p.y]))}"/>`);
    }
    for (const l of spec.lines || []) put(`<path class="line" stroke="${l.colour}" stroke-width="${line * 0.8}" stroke-dasharray="${DASHES[l.dash] || ""}" d="${way(l.x.map((x, i) => [x, l.y[i]]))}"/>`);
    put("</g>");
    for (const s of series) for (const p of s.points) {
      const lost = !(p.y > 0), y = lost ? m.top + h * 0.03 : Math.min(m.top + h, Math.max(m.top, Y(p.y))), r = (lost ? 0.8 : 1) * mark / 2;
      if (p.half > 0 && !lost) put(`<path stroke="${s.colour}" stroke-width="${line * 0.6}" d="M${f(X(p.x))} ${f(Y(Math.max(p.y - p.half, y0)))}V${f(Y(Math.min(p.y + p.half, y1)))}"/>`);
      if (s.marker || lost) put(`<path class="mark" transform="translate(${f(X(p.x))} ${f(y)})" d="${marker(lost ? "x" : s.marker, r)}" stroke="${s.colour}" stroke-width="${Math.max(1.6, line * 0.7)}" fill="${p.filled && !lost ? s.colour : "var(--ground)"}"><title>${esc(p.says || "")}</title></path>`);
    }

    // Labels at the ends, pushed apart.
    const last = (points, key) => points.filter(p => p[key] > 0 && inside(p[key])).at(-1);
    for (const l of labels) {
      const p = l.line ? { x: l.line.x[1], y: l.line.y[1] } : last(l.s.points, l.bound ? "bound" : "y") || l.s.points.at(-1);
      l.colour = l.line ? l.line.colour : l.s.colour;
      l.y = l.wanted = Math.min(m.top + h, Math.max(m.top, p.y === null ? m.top : Y(l.bound ? p.bound : p.y)));
      l.x = m.left + w + 8;
    }
    labels.sort((a, b) => a.wanted - b.wanted);
    const gap = font * 1.25;
    for (let i = 1; i < labels.length; i++) labels[i].y = Math.max(labels[i].y, labels[i - 1].y + gap);
    for (let i = labels.length - 1, floor = m.top + h; i >= 0; i--, floor -= gap) labels[i].y = Math.min(labels[i].y, floor);
    for (const l of labels) {
      put(`<text class="end${l.bound ? " thin" : ""}" x="${f(l.x)}" y="${f(l.y + font * 0.32)}" style="fill:${readable(l.colour)}" font-size="${f(font * 0.92)}">${esc(l.text)}</text>`);
    }
    svg.setAttribute("viewBox", `0 0 ${W} ${H}`);
    svg.setAttribute("width", W);
    svg.setAttribute("height", H);
    svg.setAttribute("font-size", font);
    svg.innerHTML = out.join("");
  }

  return { draw, number, readable, step };
})();
