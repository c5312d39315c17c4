"""The shell's progress report on stderr: points as they are measured, how much of the work is done and about how long the rest takes."""

import sys
import time

TELLING = 0.02  # share of the work whose time tells that of the rest
LASTS = 1.0  # seconds from which a run says how far it is
PAUSE = 30.0  # seconds between two lines that say so where no terminal shows them


class Meter:
    """Progress on stderr for what lasts: a line for each point that is finished, and how far the whole is, on a terminal in its last
    line. asked: the `many.Asked` of a run, or None."""

    def __init__(self, asked=()):
        from dlab.engine import many  # which loads JAX: --help and mistakes are told without

        self.asked, self.begun, self.done = asked, time.monotonic(), 0.0
        self.weights = [many.weight(one.study) for one in asked]
        self.shares = [0.0] * len(asked)
        self.terminal, self.shown = sys.stderr.isatty(), False
        self.said, self.held, self.told = self.begun, [], {}

    def __call__(self, done):
        self.done = done
        self.status()

    def moved(self, number, done):
        self.shares[number] = max(self.shares[number], done)
        self.done = sum(w * s for w, s in zip(self.weights, self.shares)) / sum(self.weights)

    def points(self, number, result):
        """Say which points of a study are measured on all paths that it asks for; again where more of them change the value."""
        for row in result["rows"]:
            if row["particles"] and row["particles"] < result["study"]["particles"]:
                continue
            at = f"N = {row['steps']}" if row["h"] is None else f"h = {row['h']:.4g}"
            if "value" in row:
                at = f"{result['study']['vary']['axis']} = {row['value']:g}, {at}"
            error = f" ± {row['stderr']:.1g}" if row["stderr"] else ""
            w2 = f"W₂ = {row['w2']:.4g}{error}" if row["w2"] is not None else f"no W₂, {'; '.join(row['flags'])}"
            key = number, row.get("value"), row["scheme"], row["steps"]
            if self.told.get(key) != w2:
                self.told[key] = w2
                name = f"{self.asked[number].name}: " if len(self.asked) > 1 else ""
                self.held.append(f"{name}{row['scheme']}, {at}: {w2} ({self.far()})")
        self._release()

    def line(self, text):
        self.held.append(text)
        self._release(0.0)

    def far(self) -> str:
        passed = time.monotonic() - self.begun
        left = f", about {passed * (1 - self.done) / self.done:.0f} s left" if TELLING <= self.done < 1 else ""
        return f"{self.done:.0%} done{left}"

    def status(self):
        now = time.monotonic()
        if now - self.said >= (LASTS if self.terminal else PAUSE):
            self.said = now
            if self.terminal:
                print(f"\rdlab: {self.far():40}", end="", file=sys.stderr, flush=True)
                self.shown = True
            else:
                print(f"dlab: {self.far()}", file=sys.stderr, flush=True)

    def _release(self, after=LASTS):
        """Print what is held back, since a run that ends at once says nothing."""
        if time.monotonic() - self.begun >= after:
            for text in self.held:
                line = f"\rdlab: {text:<50}" if self.terminal else f"dlab: {text}"
                print(line, file=sys.stderr, flush=True)
            self.held.clear()

    def close(self):
        if self.shown:
            print(file=sys.stderr)
