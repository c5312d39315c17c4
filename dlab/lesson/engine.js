// The laws of samplers on a Gaussian target, exactly, as dlab/laws has them; it knows nothing of the page.
//
// In a principal axis of the target a step is x -> A x + c + B z, so mean and variance follow it: mean' = A mean + c,
// var' = A^2 var + B^2. A scheme is written once, as the step of one particle, and A, c and B are what it makes of 1, 0 and z = 1.
// One that keeps numbers for its next step carries the covariance of all of them.
//
// problem   axes     [{ v, m, add }] variance and mean of the target along each axis, and a constant error of the score there
//           rel      its error relative to the score           turn   columns: the axes in the plane, [[a, b], [c, d]]
//           start    "exact", "paper" or "vp"                  grid   { name, T, stop, last, ... its settings }
//           options  { noise, churn } of the schemes that have one
"use strict";
const Engine = (() => {
  const { abs, asinh, atan, cos, cosh, exp, expm1, log, log1p, max, min, sin, sinh, sqrt, tan } = Math;
  const tau = expm1, sigma = t => sqrt(expm1(t)), timeOf = s => log1p(s * s), variance = t => -expm1(-t);

  // ---------------------------------------------------------------- the times of a run (dlab/grid/makers.py)
  // parameter(t) and time(p) undo each other, rate is dt/dp; steps are equal in the parameter.

  const B = (p, g) => g.beta_min * p + (g.beta_max - g.beta_min) * p * p / 2;
  const slopeB = (p, g) => g.beta_min + (g.beta_max - g.beta_min) * p;
  const inverseB = (t, g) => 2 * t / (g.beta_min + sqrt(g.beta_min ** 2 + 2 * (g.beta_max - g.beta_min) * t));
  const elbow = g => min(1, g.T / 2);
  const late = (p, g) => elbow(g) * exp((2 * p - 1) * log(g.delta / elbow(g)));
  const MAKERS = {
    uniform: { begins: "T", parameter: t => t, time: p => p, rate: () => 1 },
    quadratic: { begins: "T", parameter: t => sqrt(t), time: p => p * p, rate: p => 2 * p },
    "log-snr": {
      begins: "sigma_max", ends: "sigma_min", parameter: t => log(sigma(t)), time: p => log1p(exp(2 * p)),
      rate: p => 2 / (1 + exp(-2 * p)),
    },
    karras: {
      begins: "sigma_max", ends: "sigma_min", parameter: (t, g) => sigma(t) ** (1 / g.rho), time: (p, g) => log1p(p ** (2 * g.rho)),
      rate: (p, g) => 2 * g.rho * p ** (2 * g.rho - 1) / (1 + p ** (2 * g.rho)),
    },
    "vp-linear": { first: g => B(1, g), parameter: inverseB, time: B, rate: slopeB },
    "vp-cosine": { begins: "sigma_max", parameter: t => atan(sigma(t)), time: p => -2 * log(cos(p)), rate: p => 2 * tan(p) },
    "sub-vp": {
      first: g => timeOf(2 * sinh(B(1, g) / 2)),
      parameter: (t, g) => inverseB(2 * asinh(sigma(t) / 2), g), time: (p, g) => timeOf(2 * sinh(B(p, g) / 2)),
      rate: (p, g) => 4 * sinh(B(p, g) / 2) * cosh(B(p, g) / 2) * slopeB(p, g) / (1 + (2 * sinh(B(p, g) / 2)) ** 2),
    },
    flow: {
      begins: "sigma_max", parameter: t => sigma(t) / (1 + sigma(t)), time: p => timeOf(p / (1 - p)),
      rate: p => 2 * p / ((1 - p) * ((1 - p) ** 2 + p * p)),
    },
    geometric: {
      begins: "T", ends: "delta",
      parameter: (t, g) => t > elbow(g) ? (g.T - t) / (2 * (g.T - elbow(g))) : 0.5 + log(elbow(g) / t) / (2 * log(elbow(g) / g.delta)),
      time: (p, g) => p < 0.5 ? g.T - 2 * p * (g.T - elbow(g)) : late(p, g),
      rate: (p, g) => p < 0.5 ? -2 * (g.T - elbow(g)) : 2 * log(g.delta / elbow(g)) * late(p, g),
    },
    tangent: {
      begins: "sigma_max", parameter: (t, g) => atan(sigma(t) / sqrt(g.v)), time: (p, g) => log1p(g.v * tan(p) ** 2),
      rate: (p, g) => 2 * g.v * tan(p) * (1 + tan(p) ** 2) / (1 + g.v * tan(p) ** 2),
    },
    "inverse-root": {
      begins: "sigma_max", parameter: (t, g) => (g.v + tau(t)) ** -0.5, time: (p, g) => log1p(p ** -2 - g.v),
      rate: (p, g) => -2 * p ** -3 / (1 + p ** -2 - g.v),
    },
    cubic: {
      begins: "sigma_max", parameter: (t, g) => (g.m0 * tau(t) / (1 + g.m0 * tau(t))) ** (1 / 3),
      time: (p, g) => log1p(p ** 3 / (g.m0 * (1 - p ** 3))),
      rate: (p, g) => 3 * p * p / ((1 - p ** 3) * (g.m0 * (1 - p ** 3) + p ** 3)),
    },
  };

  // Where a grid of these settings starts.
  function horizon(g) {
    const maker = MAKERS[g.name];
    return maker.first ? maker.first(g) : maker.begins === "T" ? g.T : timeOf(g.sigma_max);
  }

  // { times (N + 1), clock (N) } of N steps; the clock is beta at a step's start over its mean in the step.
  function schedule(g, N) {
    const maker = MAKERS[g.name], stop = g.stop || 0, times = new Float64Array(N + 1), clock = new Float64Array(N).fill(1);
    if (g.name === "uniform") {
      for (let i = 0; i < N; i++) times[i] = g.T - i * ((g.T - stop) / N);
      times[N] = stop;
      return { times, clock };
    }
    const low = !maker.ends ? stop : maker.ends === "delta" ? g.delta : timeOf(g[maker.ends]);
    const first = maker.parameter(g.T, g), last = maker.parameter(low, g), count = N - (g.last === "zero");
    const p = i => first + (last - first) * i / count;
    times[0] = g.T;
    for (let i = 1; i < N; i++) times[i] = maker.time(p(i), g);
    times[N] = stop;
    for (let i = 0; i < count; i++) clock[i] = abs(maker.rate(p(i), g) * (p(i + 1) - p(i))) / (times[i] - times[i + 1]);
    return { times, clock };
  }

  // ---------------------------------------------------------------- what a step may ask of the score (dlab/field.py)

  class Field {
    constructor({ v, m = 0, add = 0 }, rel) {
      Object.assign(this, { v, m, add, rel, one: 1 }); // one: 0 leaves out all that does not depend on x
    }
    precision(t) { return 1 / (exp(-t) * this.v + variance(t)); }
    score(t) { // wrong as it may be
      const p = this.precision(t), q = -(1 + this.rel) * p, r = -q * exp(-t / 2) * this.m + this.add;
      return x => q * x + r * this.one;
    }
    drift(t) { const s = this.score(t); return x => x / 2 + s(x); }
    pull(t) { const s = this.score(t), w = variance(t); return x => w * s(x); } // e^{-t/2} times the way to the denoised point
    denoised(t) { const pull = this.pull(t), a = exp(t / 2); return x => a * (x + pull(x)); }
    eps(t) { const s = this.score(t), a = exp(-t / 2), b = -sigma(t) * a; return z => b * s(a * z); }
    local(t) { // the score, and L and M of the exact one
      const p = this.precision(t), L = 0.5 - p, shift = p * exp(-t / 2) * this.m;
      return { s: this.score(t), L, M: x => x / 4 - L * (x / 2 - p * x + shift * this.one) };
    }
  }

  const phi1 = z => z === 0 ? 1 : expm1(z) / z;
  function phi2(z) {
    if (abs(z) >= 0.1) return (expm1(z) - z) / z ** 2;
    let sum = 0;
    for (let j = 10; j >= 2; j--) sum = (sum * z + 1 / FACTORIAL[j]);
    return sum;
  }
  const FACTORIAL = [1];
  for (let j = 1; j <= 10; j++) FACTORIAL[j] = j * FACTORIAL[j - 1];

  // ---------------------------------------------------------------- coordinates and clocks (dlab/schemes/coordinates.py)

  // x where z = e^{t/2} x goes a share of the way to its own denoised point, and to another point x0.
  const towards = (t, n, share) => { const a = expm1((t - n) / 2), b = exp((t - n) / 2) * share; return (x, pulled) => a * x + b * pulled; };
  const mixed = (t, n, share) => { const a = exp((t - n) / 2) * (1 - share), b = exp(-n / 2) * share; return (x, x0) => a * x + b * x0; };
  const logSnr = t => -0.5 * log(tau(t));
  const inside = (n, t) => n > 0 ? n : t / 2;
  // Of the slope of the denoised point in log-SNR, from the step before.
  const bend = k => k.n > 0 && k.old < Infinity ? (logSnr(k.n) - logSnr(k.t)) / (logSnr(k.t) - logSnr(k.old)) / 2 : 0;
  // The noise of a step with a frozen denoiser, exact for data of variance v (dlab/noise.py: Bridge).
  const kept = (v, t, end) => v === Infinity ? 1 : v + tau(t) > 0 ? (v + tau(end)) / (v + tau(t)) : v + tau(end);
  const bridge = (k, v) => sqrt(expm1(k.h) * kept(v, k.t, k.t - k.h));

  function heun(f, t, n) {
    const share = 1 - sigma(n) / sigma(t), pull = f.pull(t), euler = towards(t, n, share);
    if (!(n > 0)) return x => euler(x, pull(x));
    const stage = towards(t, n, share), a = expm1((t - n) / 2), b = exp((t - n) / 2) * share, c = sigma(t) / sigma(n) - 1, after = f.pull(n);
    return x => { const p = pull(x); return a * x + (b * p + c * after(x + stage(x, p))) / 2; };
  }

  // A step of a flow that is written in z; a step down to 0, infinitely long in log-SNR, is of first order.
  const inZ = stages => k => {
    const { f, t, n } = k, up = exp(t / 2), back = exp(-n / 2), eps = f.eps(t), gap = sigma(n) - sigma(t), step = n > 0 && stages(f, t, n, gap);
    return x => { const z = up * x, e = eps(z); return back * (step ? step(z, e) : z + gap * e); };
  };

  // ---------------------------------------------------------------- the schemes (dlab/schemes)
  // k: t, n the ends of the step, h, clock, f the field, value of an option, old, older the times before it.
  // step(k) gives (x, z, w, u, kept) -> x after the step; z, w standard normals, u the random midpoint, kept the numbers
  // of a history, which it renews. Of a Brownian path sqrt(h) z is the increment and, where it is asked for, h (its half
  // + sqrt(h / 12) w) the time integral.

  const scheme = (normals, step, more = {}) => ({ normals, history: 0, random: false, step, ...more });
  const halfArea = h => sqrt(h / 12);
  const SCHEMES = {
    EM: scheme(1, ({ f, t, h }) => { const g = f.drift(t), b = sqrt(h); return (x, z) => x + h * g(x) + b * z; }),
    EI: scheme(1, ({ f, t, h }) => { const s = f.score(t), g = expm1(h / 2), b = sqrt(expm1(h)); return (x, z) => x + g * (x + 2 * s(x)) + b * z; }),
    REM: scheme(2, ({ f, t, h }) => {
      const g = f.drift(t), b = sqrt(h);
      return (x, z, w, u) => x + h * f.drift(t - u * h)(x + u * h * g(x) + b * (u * z + sqrt(u * (1 - u)) * w)) + b * z;
    }, { random: true }),
    REI: scheme(2, ({ f, t, h }) => {
      const s = f.score(t), b = sqrt(expm1(h));
      return (x, z, w, u) => {
        const early = expm1(u * h), shared = exp((1 - u) * h / 2) * early / b;
        const y = exp(u * h / 2) * x + 2 * expm1(u * h / 2) * s(x) + shared * z + sqrt(max(0, early - shared ** 2)) * w;
        return exp(h / 2) * x + h * exp((1 - u) * h / 2) * f.score(t - u * h)(y) + b * z;
      };
    }, { random: true }),
    SO: scheme(1, ({ f, t, h }) => {
      const { s, L, M } = f.local(t), a = h * phi1(h * L), c = h * h * phi2(h * L), b = sqrt(h * phi1(2 * h * L));
      return (x, z) => x + a * (x / 2 + s(x)) + c * M(x) + b * z;
    }),
    DDPM: scheme(1, k => {
      const pull = k.f.pull(k.t), go = towards(k.t, k.n, 1 - tau(k.n) / tau(k.t)), b = bridge(k, k.value);
      return (x, z) => x + go(x, pull(x)) + b * z;
    }),
    "VE-EM": scheme(1, ({ f, t, n, h }) => {
      const pull = f.pull(t), go = towards(t, n, 1 - tau(n) / tau(t)), b = sqrt(expm1(h));
      return (x, z) => x + go(x, pull(x)) + b * z;
    }),
    "EM-FROZEN": scheme(1, ({ f, t, h, clock }) => {
      const g = f.drift(t), b = sqrt(clock * h);
      return (x, z) => x + clock * h * g(x) + b * z;
    }),
    SEA: scheme(2, ({ f, t, h }) => {
      const g = f.drift(t), b = sqrt(h), c = halfArea(h);
      return (x, z, w) => x + h * g(x + b * z / 2 + c * w) + b * z;
    }),
    SHEUN: scheme(1, ({ f, t, n, h }) => {
      const g = f.drift(t), after = f.drift(n), b = sqrt(h);
      return (x, z) => { const first = g(x); return x + h / 2 * (first + after(x + h * first + b * z)) + b * z; };
    }),
    SRA1: scheme(2, ({ f, t, h }) => {
      const g = f.drift(t), late = f.drift(t - 0.75 * h), b = sqrt(h), c = halfArea(h);
      return (x, z, w) => { const first = g(x); return x + h * (first + 2 * late(x + 0.75 * h * first + 1.5 * (b * z / 2 + c * w))) / 3 + b * z; };
    }),
    SRA3: scheme(2, ({ f, t, n, h }) => {
      const g = f.drift(t), end = f.drift(n), middle = f.drift(t - h / 2), b = sqrt(h), c = halfArea(h);
      return (x, z, w) => {
        const first = g(x), second = end(x + h * first), third = middle(x + h / 4 * (first + second) + 1.5 * (b * z / 2 + c * w));
        return x + h * (first + second + 4 * third) / 6 + b * z;
      };
    }),
    SHARK: scheme(2, ({ f, t, h }) => {
      const g = f.drift(t), late = f.drift(t - 5 / 6 * h), b = sqrt(h), c = halfArea(h);
      return (x, z, w) => {
        const first = g(x + c * w), second = late(x + 5 / 6 * (h * first + b * z) + c * w);
        return x + h * (0.4 * first + 0.6 * second) + b * z;
      };
    }),
    TAYLOR: scheme(2, ({ f, t, h }) => {
      const { s, L, M } = f.local(t), b = sqrt(h), c = halfArea(h);
      return (x, z, w) => { const g = x / 2 + s(x); return x + h * g + L * (h * (b * z / 2 + c * w) + h * h / 2 * g) + h * h / 2 * M(x) + b * z; };
    }),
    OC: scheme(1, ({ f, t, n, h }) => {
      const { s, L } = f.local(t), share = 1 - tau(n) / tau(t), go = towards(t, n, share);
      const spread = tau(n) + (tau(t) - tau(n)) * (1 + variance(t) * (L - 0.5)), b = sqrt(max(exp(-n) * share * spread, 0));
      return (x, z) => x + go(x, variance(t) * s(x)) + b * z;
    }),
    "2M-SDE": scheme(1, k => {
      const denoised = k.f.denoised(k.t), go = mixed(k.t, k.n, 1 - tau(k.n) / tau(k.t)), r = bend(k), b = bridge(k, 0);
      return (x, z, w, u, kept) => { const x0 = denoised(x), old = kept[0]; kept[0] = x0; return go(x, x0 + r * (x0 - old)) + b * z; };
    }, { history: 1 }),
    SEEDS2: scheme(2, k => {
      const { f, t, n, h } = k, stage = timeOf(sqrt(sigma(t) * sigma(inside(n, t)))), share = 1 - tau(n) / tau(t), pull = f.pull(t), whole = bridge(k, 0);
      if (!(n > 0)) { const go = towards(t, n, share); return (x, z) => x + go(x, pull(x)) + whole * z; }
      const first = towards(t, stage, 1 - tau(stage) / tau(t)), go = mixed(t, n, share), denoised = f.denoised(stage);
      const s = t - (t - stage) / (t - n) * h, early = expm1(t - s) * kept(0, t, s), c = early * exp((s - t + h) / 2) * kept(0, s, t - h) / whole;
      const own = sqrt(max(0, early - c * c));
      return (x, z, w) => go(x, denoised(x + first(x, pull(x)) + c * z + own * w)) + whole * z;
    }),
    CHURN: scheme(1, ({ f, t, n, value: g }) => {
      const raised = timeOf(sigma(t) * (1 + g)), b = exp(-t / 2) * sqrt(tau(t) * (2 * g + g * g)), back = exp((t - raised) / 2), go = heun(f, raised, n);
      return (x, z) => { const y = back * (x + b * z); return y + go(y); };
    }),
    PC: scheme(2, ({ f, t, n }) => {
      const gap = tau(t) - tau(n), size = tau(n) * gap / (2 * tau(t)), back = exp(-n / 2);
      const a = sqrt(gap), c = sqrt(2 * size), length = sqrt(gap + 2 * size), pull = f.pull(t), go = towards(t, n, 1 - tau(n) / tau(t));
      const after = n > 0 ? f.pull(n) : () => 0, e = n > 0 ? size / tau(n) : 0;
      return (x, z, w) => {
        const y = x + go(x, pull(x)) + back * a * (a * z - c * w) / length;
        return y + e * after(y) + back * c * (c * z + a * w) / length;
      };
    }),
    "PF-EULER": scheme(0, ({ f, t, h }) => { const s = f.score(t); return x => x + h / 2 * (x + s(x)); }),
    DDIM: scheme(0, ({ f, t, n }) => { const pull = f.pull(t), go = towards(t, n, 1 - sigma(n) / sigma(t)); return x => x + go(x, pull(x)); }),
    "EDM-HEUN": scheme(0, ({ f, t, n }) => { const go = heun(f, t, n); return x => x + go(x); }),
    DPM2: scheme(0, inZ((f, t, n, gap) => {
      const stage = sqrt(sigma(t) * sigma(n)), middle = f.eps(timeOf(stage)), way = stage - sigma(t);
      return (z, e) => z + gap * middle(z + way * e);
    })),
    DPM3: scheme(0, inZ((f, t, n, gap) => {
      const h = log(sigma(t) / sigma(n)), a = 1 / 3, b = 2 / 3, one = sigma(t) * exp(-a * h), two = sigma(t) * exp(-b * h);
      const first = f.eps(timeOf(one)), second = f.eps(timeOf(two));
      const c = two * b / a * (expm1(b * h) / (b * h) - 1), d = sigma(n) / b * (expm1(h) / h - 1);
      return (z, e) => {
        const e1 = first(z + (one - sigma(t)) * e) - e, e2 = second(z + (two - sigma(t)) * e - c * e1) - e;
        return z + gap * e - d * e2;
      };
    })),
    "2M": scheme(0, k => {
      const denoised = k.f.denoised(k.t), go = mixed(k.t, k.n, 1 - sigma(k.n) / sigma(k.t)), r = bend(k);
      return (x, z, w, u, kept) => { const x0 = denoised(x), old = kept[0]; kept[0] = x0; return go(x, x0 + r * (x0 - old)); };
    }, { history: 1 }),
    UNIPC2: scheme(0, k => {
      const { t, n, old, older } = k, denoised = k.f.denoised(t), go = mixed(t, n, 1 - sigma(n) / sigma(t)), ahead = bend(k), up = exp(t / 2);
      const h = logSnr(t) - logSnr(old), share = 1 - sigma(t) / sigma(old), second = older < Infinity;
      const r = second ? (logSnr(older) - logSnr(old)) / h : -1, one = -1 / h + 1 / share, two = 2 * (-one / h + 1 / (2 * share));
      const own = second ? one - (one - two) / (1 - r) : 0.5, past = second ? (one - two) / (1 - r) / r : 0;
      return (x, z, w, u, kept) => {
        const x0 = denoised(x), [z_, x0_, x0__] = kept;
        // What the score here says of the step that led here.
        const right = old < Infinity ? (1 - share) * z_ + share * (x0_ + past * (x0__ - x0_) + own * (x0 - x0_)) : up * x;
        kept[0] = right, kept[1] = x0, kept[2] = x0_;
        return go(right / up, x0 + ahead * (x0 - x0_));
      };
    }, { history: 3 }),
  };

  // ---------------------------------------------------------------- laws

  const OPTION = { DDPM: p => p.options?.noise ?? 0, CHURN: (p, N) => min((p.options?.churn ?? 10) / N, Math.SQRT2 - 1) };
  const exactly = name => Boolean(SCHEMES[name]) && !SCHEMES[name].random; // its law is a Gaussian that is known here
  const isFree = (axis, p) => !axis.m && !axis.add;

  function begin({ v, m = 0 }, { start, grid: { T } }) {
    if (start === "exact") return { mean: exp(-T / 2) * m, var: exp(-T) * v - expm1(-T) };
    return { mean: 0, var: start === "vp" ? 1 : -expm1(-T) };
  }

  function goal({ v, m = 0 }, t) {
    return { mean: exp(-t / 2) * m, var: exp(-t) * v - expm1(-t) };
  }

  // Calls step(n, k, take) for each step n, where take(x, z, w, u, kept) takes it.
  function walk(axis, p, name, run, step) {
    const { times, clock } = run, N = clock.length, f = new Field(axis, p.rel || 0);
    const k = { f, value: OPTION[name]?.(p, N), old: Infinity, older: Infinity };
    for (let n = 0; n < N; n++) {
      k.t = times[n], k.n = times[n + 1], k.h = k.t - k.n, k.clock = clock[n];
      step(n, k, SCHEMES[name].step(k));
      k.older = k.old, k.old = k.t;
    }
  }

  // { mean, var } of a scheme's law along an axis after its last step; told(n, mean, var, met) is called before every step and
  // after the last one, met the mean square of the score's error there.
  function along(axis, p, name, run, told) {
    const { normals, history } = SCHEMES[name], free = isFree(axis, p), size = 1 + history;
    let { mean, var: spread } = begin(axis, p);
    const means = new Float64Array(size), C = new Float64Array(size * size), A = new Float64Array(size * size), AC = new Float64Array(size * size);
    const noise = [new Float64Array(size), new Float64Array(size)], c = new Float64Array(size), hold = new Array(history).fill(0);
    means[0] = mean, C[0] = spread;
    const image = (take, into, stride, x, at, z, w) => { // of one basis vector, into a column
      for (let i = 0; i < history; i++) hold[i] = i === at ? 1 : 0;
      into[0] = take(x, z, w, 0, hold);
      for (let i = 0; i < history; i++) into[(1 + i) * stride] = hold[i];
    };
    walk(axis, p, name, run, (n, k, take) => {
      const f = k.f;
      if (told) {
        const q = -f.precision(k.t) * f.rel, r = -q * exp(-k.t / 2) * f.m + f.add;
        told(n, mean, spread, (q * mean + r) ** 2 + q * q * spread);
      }
      f.one = 0;
      if (!history) {
        const a = take(1, 0, 0), b = normals > 0 ? take(0, 1, 0) : 0, d = normals > 1 ? take(0, 0, 1) : 0;
        f.one = 1;
        mean = a * mean + (free ? 0 : take(0, 0, 0));
        spread = a * a * spread + b * b + d * d;
        return;
      }
      for (let j = 0; j < size; j++) image(take, A.subarray(j), size, j === 0 ? 1 : 0, j - 1, 0, 0);
      for (let i = 0; i < normals; i++) image(take, noise[i], 1, 0, -1, i === 0 ? 1 : 0, i === 1 ? 1 : 0);
      f.one = 1;
      c.fill(0);
      if (!free) image(take, c, 1, 0, -1, 0, 0);
      const before = Array.from(means);
      for (let i = 0; i < size; i++) {
        means[i] = c[i];
        for (let j = 0; j < size; j++) {
          means[i] += A[i * size + j] * before[j];
          AC[i * size + j] = 0;
          for (let l = 0; l < size; l++) AC[i * size + j] += A[i * size + l] * C[l * size + j];
        }
      }
      for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) {
        let sum = noise[0][i] * noise[0][j] + noise[1][i] * noise[1][j];
        for (let l = 0; l < size; l++) sum += AC[i * size + l] * A[j * size + l];
        C[i * size + j] = sum;
      }
      mean = means[0], spread = C[0];
    });
    told?.(run.clock.length, mean, spread, 0);
    return { mean, var: spread };
  }

  // Squared W2 between two laws on the line; the difference of roots from that of variances, which keeps its digits.
  const square = (law, g) => (law.mean - g.mean) ** 2 + ((law.var - g.var) / (sqrt(law.var) + sqrt(g.var))) ** 2;
  const finite = value => value < Infinity ? value : NaN;

  // W2 to p_t at the end of a run of N steps, NaN where it is no finite number. Scheme and target have their axes in common, so
  // that the squares along them add up.
  function w2(p, name, N, run = schedule(p.grid, N)) {
    const end = run.times[N];
    return finite(sqrt(p.axes.reduce((sum, axis) => sum + square(along(axis, p, name, run), goal(axis, end)), 0)));
  }

  // W2 to p_t at each time of the run, (N + 1), and the largest L2 level of the score's error met.
  function path(p, name, N, run = schedule(p.grid, N)) {
    const squares = new Float64Array(N + 1), met = new Float64Array(N + 1);
    for (const axis of p.axes) along(axis, p, name, run, (n, mean, spread, error) => {
      squares[n] += square({ mean, var: spread }, goal(axis, run.times[n]));
      met[n] += error;
    });
    return { w2: Array.from(squares, s => finite(sqrt(s))), met: sqrt(met.reduce((a, b) => max(a, b), 0)) };
  }

  // ---------------------------------------------------------------- the theorems' leading terms (dlab/theory/leading.py)

  const THEOREMS = { // C1 times its factor of h, and C2; g = m_min - 1/2, L = L_max, d the dimension
    EM: (g, L, d, h) => [(L + 0.5) / g * sqrt(d * h), 1 / g],
    EI: (g, L, d, h) => [L / g * sqrt(d * h), 1 / g],
    REM: (g, L, d, h) => [(sqrt(d / 3) * L + 1 / (2 * sqrt(3))) / g * sqrt(h), 3 / g],
    REI: (g, L, d, h) => [sqrt(d / 3) * L / g * sqrt(h), 3 / g],
    SO: (g, L, d, h) => [exp((L - 0.5) * h) * sqrt(d) * L ** 1.5 / g * h, exp((L - 0.5) * h) / g],
  };

  // The bound of a scheme in N steps, NaN where no theorem gives one; level: of the score's error.
  function bound(p, name, N, level) {
    const values = p.axes.map(axis => axis.v), m = min(1, 1 / max(...values)), g = p.grid;
    if (!THEOREMS[name] || m <= 0.5 || p.start === "vp" || g.name !== "uniform" || g.stop) return NaN;
    const [step, c2] = THEOREMS[name](m - 0.5, 1 + 1 / min(...values), values.length, g.T / N);
    const moment = p.axes.reduce((sum, axis) => sum + axis.v + (axis.m || 0) ** 2, 0);
    return finite((p.start === "paper" ? exp(-m * g.T) * sqrt(moment) : 0) + step + c2 * level);
  }

  // ---------------------------------------------------------------- particles

  // Numbers in (0, 1) from a seed (mulberry32).
  function uniforms(seed) {
    return () => {
      seed = seed + 0x6D2B79F5 | 0;
      let a = Math.imul(seed ^ seed >>> 15, 1 | seed);
      a = a + Math.imul(a ^ a >>> 7, 61 | a) ^ a;
      return ((a ^ a >>> 14) >>> 0) / 4294967296 + 2 ** -33;
    };
  }

  function normals(seed) {
    const draw = uniforms(seed);
    let spare = NaN;
    return () => {
      if (spare === spare) { const kept = spare; spare = NaN; return kept; }
      const r = sqrt(-2 * log(draw())), a = 2 * Math.PI * draw();
      spare = r * sin(a);
      return r * cos(a);
    };
  }

  // What drives particles: starts and increments along two axes, z and w, and midpoints, of each of N steps. The last one is kept,
  // since a slider asks for it again and again.
  function noise(N, count, seed) {
    if (latest.N === N && latest.count === count && latest.seed === seed) return latest;
    const draw = normals(seed), coin = uniforms(seed + 1), take = () => Float64Array.from({ length: 2 * count }, draw);
    const each = make => Array.from({ length: N }, make);
    return latest = { N, count, seed, starts: take(), z: each(take), w: each(take), u: each(() => Float64Array.from({ length: count }, coin)) };
  }
  let latest = {};

  // Particles of several schemes that share their starts and their Brownian paths: for each a Float32Array of x, y at the N + 1
  // times, (N + 1, count, 2).
  function particles(p, names, N, count, seed = 1) {
    const run = schedule(p.grid, N), { starts, z, w, u } = noise(N, count, seed), [[a, b], [c, d]] = p.turn;
    return names.map(name => {
      const inner = p.axes.map((axis, i) => {
        const { mean, var: spread } = begin(axis, p), { history } = SCHEMES[name];
        const out = [starts.subarray(i * count, (i + 1) * count).map(s => mean + sqrt(spread) * s)];
        const memory = Array.from({ length: history && count }, () => new Array(history).fill(0));
        walk(axis, p, name, run, (n, k, step) => {
          const now = out[n], next = new Float64Array(count), base = i * count;
          for (let j = 0; j < count; j++) next[j] = step(now[j], z[n][base + j], w[n][base + j], u[n][j], memory[j]);
          out.push(next);
        });
        return out;
      });
      const found = new Float32Array((N + 1) * count * 2);
      for (let n = 0, at = 0; n <= N; n++) for (let j = 0; j < count; j++) {
        const [s, t] = [inner[0][n][j], inner[1][n][j]];
        found[at++] = a * s + b * t;
        found[at++] = c * s + d * t;
      }
      return found;
    });
  }

  return { MAKERS, SCHEMES, along, begin, bound, exactly, goal, horizon, particles, path, schedule, w2 };
})();
