"""The formulas that visitors read, evaluated as they are printed, against the code of the steps."""

import math
import re

import jax.numpy as jnp
import pytest

from dlab import linop, noise, schemes
from dlab.look import PARTS
from dlab.schemes.formula import digits

TOKEN = re.compile(r"\s*(\\varphi_[12]|\\[a-zA-Z]+|x\^\+|t_n|Z_[12]|\d+\.?\d*|[a-zA-Z]|[-+/^(){}=,])")
X, T, U = 0.7, 1.3, 0.35
NORMALS = (0.9, -1.7)
PULL, BEND = -1.4, 2.3  # L, and M over x: of no law, so that no term can stand in for another


class Linear:
    """A score, an L and an M of one coordinate that have nothing to do with one another."""

    def score(self, t, x):
        return 0.3 - (0.8 + 0.5 * t) * x

    def local(self, t, x):
        return self.score(t, x), linop.Dense(jnp.full((1, 1, 1), PULL)), BEND * x


PYTHON = {"{": "(", "}": ")", "^": "**", r"\cdot": "*", r"\sqrt": "sqrt", r"\gamma": "gamma", r"\varphi_1": "phi1", r"\varphi_2": "phi2"}
CALLED = ("s", "I", "sqrt", "gamma", "phi1", "phi2")


def python(latex):
    """A printed line as Python: the name on its left and the expression on its right."""
    text = re.sub(r"\\textcolor\{#[0-9a-fA-F]{6}\}", "", latex).replace(r"\,", " ")
    tokens = TOKEN.findall(re.sub(r"\\tfrac(\d)(\d)", r"(\1/\2)", text))
    assert "".join(tokens) == re.sub(r"\s", "", re.sub(r"\\tfrac(\d)(\d)", r"(\1/\2)", text)), text
    left, parts = tokens.index("="), []
    for token in (PYTHON.get(t, t) for t in tokens[left + 1 :]):
        # What stands side by side is multiplied.
        if parts and re.search(r"[\w)]$", parts[-1]) and parts[-1] not in CALLED and re.match(r"[\w(]", token):
            parts.append("*")
        parts.append(token)
    return re.sub(r"[{}]", "", "".join(tokens[:left])), " ".join(parts)


def integral(a, u, h, randomised):
    """I(a, u) of one coordinate: of one normal, or with a midpoint the part until U and what comes after."""

    def deviation(length):
        return math.sqrt(length if a == 0 else math.expm1(2 * a * length) / (2 * a))

    if not randomised:
        return deviation(u * h) * NORMALS[0]
    part = deviation(U * h) * NORMALS[0]
    return part if u == U else math.exp(a * (1 - U) * h) * part + deviation((1 - U) * h) * NORMALS[1]


def read(scheme, h, latex):
    """x after the step, as the lines say."""
    known = {
        "h": h, "x": X, "U": U, "L": PULL, "M": BEND * X, "t_n": T, "e": math.e, "Z": NORMALS[0], "Z_1": NORMALS[0], "Z_2": NORMALS[1],
        "s": Linear().score, "gamma": lambda t, x: x / 2 + Linear().score(t, x), "sqrt": math.sqrt,
        "phi1": lambda z: float(linop.phi1(z)), "phi2": lambda z: float(linop.phi2(z)),
        "I": lambda a, u: integral(a, u, h, scheme.randomised),
    }  # fmt: skip
    for line in latex:
        name, expression = python(line)
        known[{"x^+": "after"}.get(name, name)] = eval(expression, {}, known)
    return known["after"]


def stepped(scheme, h):
    u = jnp.full((1, 1), U) if scheme.randomised else None
    normals = jnp.array(NORMALS[: scheme.normals()]).reshape(-1, 1, 1)
    step = noise.StepNoise(h=h, normals=normals, u=u, forward=True)
    return float(scheme.step(Linear(), T, T - h, jnp.full((1, 1), X), step)[0, 0])


def tolerance(h):
    """What three digits of each number may add up to."""
    return 0.006 * math.sqrt(h)


@pytest.mark.parametrize("h", [1.0, 0.25, 1 / 128])
@pytest.mark.parametrize("name", schemes.PAPER)
def test_the_printed_numbers_are_those_of_the_step(name, h):
    scheme = schemes.REGISTRY[name]
    for theme in (None, "light", "dark"):
        printed = scheme.formula.latex(h, theme)
        assert read(scheme, h, printed) == pytest.approx(stepped(scheme, h), abs=tolerance(h))
        assert not re.search(r"[«»]|(?<![a-z])h(?![a-z])", "".join(printed))


@pytest.mark.parametrize("name", schemes.PAPER)
def test_the_printed_symbols_are_the_step(name):
    scheme = schemes.REGISTRY[name]
    for h in (1.0, 0.25):
        assert read(scheme, h, scheme.formula.latex()) == pytest.approx(stepped(scheme, h), rel=1e-5)


@pytest.mark.parametrize("name", schemes.PAPER)
def test_a_wrong_number_is_seen(name):
    """Any printed number halved moves the step by more than the tolerance."""
    scheme, h = schemes.REGISTRY[name], 1.0
    lines = scheme.formula.latex(h)
    for i, line in enumerate(lines):
        for match in re.finditer(r"(?<![_^{\w.-])\d+\.?\d*(?![\w}])", line):
            wrong = [*lines]
            wrong[i] = f"{line[: match.start()]}{float(match[0]) / 2}{line[match.end() :]}"
            assert abs(read(scheme, h, wrong) - stepped(scheme, h)) > tolerance(h), (line, match[0])


@pytest.mark.parametrize("name", schemes.PAPER)
def test_parts_are_coloured(name):
    formula = schemes.REGISTRY[name].formula
    assert {"drift", "noise"} <= set(formula.parts()) <= set(PARTS)
    assert ("midpoint" in formula.parts()) == schemes.REGISTRY[name].randomised
    assert ("second order" in formula.parts()) == bool(schemes.REGISTRY[name].hessian_evals)
    for theme in range(2):
        text = "".join(formula.latex(0.25, ("light", "dark")[theme]))
        assert all(PARTS[part][theme] in text for part in formula.parts())
        assert text.count("{") == text.count("}")


def test_digits():
    said = {0.25: "0.25", 1 / 128: "0.00781", 1.1331: "1.13", 1.0039138: "1.0039", 1: "1", 6.1035e-5: r"6.1\cdot 10^{-5}"}
    assert {v: digits(v) for v in said} == said
