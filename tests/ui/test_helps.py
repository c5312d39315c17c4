"""Every control of every page says in one line what it does."""

import pytest
from apptest import EXACT, MIXTURE, MOVING, controls, opened, silent, visit
from cases import long

from dlab import errors, targets
from dlab.ui import kinds

DIAGONAL = {"name": "gaussian", "mean": [0.0, 0.0], "cov": [[1.0, 0.2], [0.2, 0.9]]}
SCENES = {
    "home": ("", {}),
    "exact": ("convergence", {**EXACT, "by_hand": "1", "window": "0.5..0.25"}),
    "waiting": ("convergence", {**MIXTURE, "seed": "4711", "accuracy": "5"}),
    "files": ("convergence", {"spec": kinds.pack(DIAGONAL), "schemes": "EM", "h": "0.4,0.2"}),
    "data": ("convergence", {"target": "logistic", "schemes": "EM", "data": kinds.pack([[[4, 0], [1, 4], [0, 1]], [1, 1, -1]])}),
    "moving": ("particles", MOVING),
    "theory": ("theory", EXACT),
    "learned": ("learned", {**EXACT, "learned.samples": "1000"}),
    "horizon": ("horizon", EXACT),
    "dimension": ("dimension", {**EXACT, "shape": "linear"}),
    "budget": ("budget", EXACT),
    "score_error": ("score_error", EXACT),
    "long": ("particles", {**MOVING, "target": "mixture", "step": "0.0078125", "T": "10", "moving": "5000", "panels": "EM,REI,SO"}),
}
FOLDED = [f"fold-{key}" for key in ("grid-even", "second-order", "horizon", "sampling", "picture", "own")]  # parts of the controls
ELSEWHERE = ("waiting", "theory", "learned", "budget", "score_error", "long")  # the tests of these pages ask it too


@pytest.mark.parametrize("name", [long(name) if name in ELSEWHERE else name for name in SCENES])
def test_every_control_has_a_line_of_help(name):
    page, query = SCENES[name]
    at = visit(page, query)
    assert not silent(at)
    if page:
        opened(at, "share", "law-open", "download", *FOLDED)
        labels = {label for label, _ in controls(at._tree)}
        assert labels & {"Target p₀", "Spectrum"} or "spec" in query
        assert "Controls to hide" in labels
        assert not silent(at)


@pytest.mark.parametrize("name", [*targets.REGISTRY, *errors.REGISTRY])
def test_every_knob_has_a_unit_or_symbol_and_help(name):
    for knob in (targets.REGISTRY.get(name) or errors.REGISTRY[name]).knobs:
        assert knob.help.endswith("."), knob
        symbols = [word for word in knob.label.replace(",", "").split() if len(word) == 1 or not word.isascii()]
        assert symbols or "(degrees)" in knob.label or "seed" in knob.label, knob
