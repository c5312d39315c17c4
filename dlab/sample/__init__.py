"""Running a scheme: the one loop over its steps, the control variate beside it, the limit on growth within a step."""

from dlab.sample.loop import CHUNK, DIVERGED, Run, diverged, level_met, simulate, starts

__all__ = ["CHUNK", "DIVERGED", "Run", "diverged", "level_met", "simulate", "starts"]
