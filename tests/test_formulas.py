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


class Reader:
    """Evaluates one printed line: `run` returns the left side's name and the value of the right side."""

    def __init__(self, scheme, h, latex, found):
        text = re.sub(r"\\textcolor\{#[0-9a-fA-F]{6}\}", "", latex).replace(r"\,", " ")
        self.tokens, self.scheme, self.h, self.known = TOKEN.findall(text), scheme, h, found
        assert "".join(self.tokens) == re.sub(r"\s", "", text), text

    def run(self):
        name = re.sub(r"[{}]", "", "".join(self.upto("=")))
        value = self.total()
        assert not self.tokens, self.tokens
        return name, value

    def upto(self, end):
        taken = []
        while (token := self.tokens.pop(0)) != end:
            taken.append(token)
        return taken

    def peek(self):
        return self.tokens[0] if self.tokens else ""

    def take(self, *expected):
        for token in expected:
            assert self.tokens.pop(0) == token, (token, self.tokens)

    def total(self):
        value = self.product()
        while self.peek() in ("+", "-"):
            sign = 1 if self.tokens.pop(0) == "+" else -1
            value += sign * self.product()
        return value

    def product(self):
        value = self.power()
        while self.peek() not in ("", "+", "-", ")", "}", ",", "="):
            if self.peek() == "/":
                self.take("/")
                value /= self.power()
            else:
                value *= self.power()
        return value

    def power(self):
        value = self.atom()
        if self.peek() == "^":
            self.take("^")
            value **= self.atom()
        return value

    def group(self, opening="{", closing="}"):
        self.take(opening)
        value = self.total()
        self.take(closing)
        return value

    def pair(self):
        self.take("(")
        first = self.total()
        self.take(",")
        second = self.total()
        self.take(")")
        return first, second

    def atom(self):
        token = self.tokens[0]
        if token == "{":
            return self.group()
        if token == "(":
            return self.group("(", ")")
        self.tokens.pop(0)
        if token == "-":
            return -self.power()
        if token == r"\cdot":
            return self.atom()
        if token == r"\tfrac":
            whole = self.tokens.pop(0)
            return int(whole[0]) / int(whole[1])
        if token == r"\sqrt":
            return math.sqrt(self.group())
        if token == "s":
            return Linear().score(*self.pair())
        if token == r"\gamma":
            t, x = self.pair()
            return x / 2 + Linear().score(t, x)
        if token.startswith(r"\varphi"):
            return float({"1": linop.phi1, "2": linop.phi2}[token[-1]](self.group("(", ")")))
        if token == "I":
            return integral(*self.pair(), self.h, self.scheme.randomised)
        if token[0].isdigit():
            return float(token)
        return {"h": self.h, "x": X, "y": self.known.get("y"), "U": U, "L": PULL, "M": BEND * X, "t_n": T, "e": math.e,
                "Z": NORMALS[0], "Z_1": NORMALS[0], "Z_2": NORMALS[1]}[token]  # fmt: skip


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
    found = {}
    for line in latex:
        name, value = Reader(scheme, h, line, found).run()
        found[name] = value
    return found["x^+"]


def stepped(scheme, h):
    u = jnp.full((1, 1), U) if scheme.randomised else None
    normals = jnp.array(NORMALS[: scheme.normals()]).reshape(-1, 1, 1)
    step = noise.StepNoise(h=h, normals=normals, u=u, forward=True)
    return float(scheme.step(Linear(), T, T - h, jnp.full((1, 1), X), step)[0, 0])


def tolerance(h):
    """What three digits of each number may add up to."""
    return 0.006 * math.sqrt(h)


@pytest.mark.parametrize("h", [1.0, 0.25, 1 / 128])
@pytest.mark.parametrize("name", schemes.REGISTRY)
def test_the_printed_numbers_are_those_of_the_step(name, h):
    scheme = schemes.REGISTRY[name]
    for theme in (None, "light", "dark"):
        printed = scheme.formula.latex(h, theme)
        assert read(scheme, h, printed) == pytest.approx(stepped(scheme, h), abs=tolerance(h))
        assert not re.search(r"[«»]|(?<![a-z])h(?![a-z])", "".join(printed))


@pytest.mark.parametrize("name", schemes.REGISTRY)
def test_the_printed_symbols_are_the_step(name):
    scheme = schemes.REGISTRY[name]
    for h in (1.0, 0.25):
        assert read(scheme, h, scheme.formula.latex()) == pytest.approx(stepped(scheme, h), rel=1e-5)


@pytest.mark.parametrize("name", schemes.REGISTRY)
def test_a_wrong_number_is_seen(name):
    """Any printed number halved moves the step by more than the tolerance."""
    scheme, h = schemes.REGISTRY[name], 1.0
    lines = scheme.formula.latex(h)
    for i, line in enumerate(lines):
        for match in re.finditer(r"(?<![_^{\w.-])\d+\.?\d*(?![\w}])", line):
            wrong = [*lines]
            wrong[i] = f"{line[: match.start()]}{float(match[0]) / 2}{line[match.end() :]}"
            assert abs(read(scheme, h, wrong) - stepped(scheme, h)) > tolerance(h), (line, match[0])


@pytest.mark.parametrize("name", schemes.REGISTRY)
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
