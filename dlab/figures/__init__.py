"""Figures: a result or arrays in, a neutral `Chart` out, drawn by `screen` (plotly) or `paper` (matplotlib)."""
