"""Studies, tables and pictures damaged at random, in the shell's reader and in the app's: read, or refused by one short sentence, soon."""

import copy
import io
import json
import signal
import struct
import warnings
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from cases import long
from PIL import Image

from dlab import errors, pictures, targets
from dlab.params import BadInput
from dlab.study import Study
from dlab.targets.observations import read_csv
from dlab.ui import files, studies

CASES = Path(__file__).parent / "data" / "cases"
LONGEST = 60  # seconds of one input
NAN, INF = float("nan"), float("inf")
JUNK = [
    None, True, False, 0, -1, 1, 2.5, -0.0, 1e-300, 1e300, NAN, INF, -INF, 10**9, -(10**30), 10**400, "", "EM", "none", "0.5",
    "x" * 10_000, "\x00", "\ud800", "١", [], [[]], [[[]]], {}, {"name": "gaussian"}, {"name": {}}, [None], ["EM", "EM"], [0.5, 0.5],
    {"": ""}, [[1, 0], [0, 1]], [1, 2, 3], ["a"], (1, 2), {1: 2}, np.float64("nan"), "T", "target.name", ["digits"], {"kind": "stale"},
]  # fmt: skip
BASES = [
    *({"target": entry.example, "schemes": ["EM"], "h": [0.5]} for entry in targets.REGISTRY.values()),
    *({"target": targets.REGISTRY["skew"].example, "schemes": ["SO"], "score_error": entry.example} for entry in errors.REGISTRY.values()),
    *(json.loads(file.read_text("utf-8-sig")) for file in sorted(CASES.glob("*.json"))),
    *(
        {"target": targets.REGISTRY[t].example, "vary": {"axis": axis, "values": [1, 2]}, "score_error": {"name": "constant", "level": 1}}
        for t, axis in (("gaussian", "T"), ("spectrum", "d"), ("wells", "target.a"), ("skew", "score_error.level"))
    ),
]  # fmt: skip
TEXTS = ("{", "}", "[", "]", ",", ":", '"', "1e999", "-0", "NaN", "\\u0000", "\\ud800", "[" * 2000, "9" * 5000, "\ufeff", '"h":', "é")
TABLES = [
    b"\xef\xbb\xbfY, X2 ,x1\r\n1,2,1\r\n0,-4,3\r\n\r\n", b"1,2,1\n3,-4,0\n", b"a;b;y\n0,5;1,2;yes\n1,5;2;no\n",
    *(file.read_bytes() for file in sorted(CASES.glob("*.csv"))),
]  # fmt: skip
CELLS = (b",", b";", b"\t", b"\n", b"\r", b'"', b"-", b".", b"NA", b"1_0", b"\xff", b"\x00", b"e9", b"y", b"\xc2\xa0", b"x" * 10_000)
FORMATS = {"png": "PNG", "jpg": "JPEG", "bmp": "BMP", "gif": "GIF", "pgm": "PPM", "tif": "TIFF"}
SEEDS = [0, *(long(seed) for seed in range(1, 11))]


def count(whole: int, seed: int) -> int:
    """How many cases of a seed: ten in CI, and ten parts of the whole by hand."""
    return whole // 10 if seed else 10


@contextmanager
def ends_well():
    """Whether what is done in it ends soon, without a warning, or in one short sentence."""

    def late(*_):
        raise AssertionError(f"longer than {LONGEST} s")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(LONGEST)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Warning)
            warnings.filterwarnings("default", category=DeprecationWarning)
            yield
    except BadInput as error:
        sentence = str(error)
        assert "\n" not in sentence
        assert len(sentence) < 1000
        sentence.encode()
    finally:
        signal.alarm(0)


def places(value, at=()):
    """Every path into a nested value."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*at, key))


def damaged_study(rng):
    """A study file as an object, or as the text of one that is damaged besides."""
    study = copy.deepcopy(BASES[rng.integers(len(BASES))])
    for _ in range(rng.integers(1, 4)):
        if not (inner := [p for p in places(study) if p]):
            break
        *path, last = inner[rng.integers(len(inner))]
        home = study
        for key in path:
            home = home[key]
        action = rng.integers(5)
        if action == 0 and isinstance(home, dict):
            del home[last]
        elif action == 1 and isinstance(home, dict):
            home[str(last) + "x"] = home[last]
        else:
            home[last] = copy.deepcopy(JUNK[rng.integers(len(JUNK))])
    if rng.random() < 0.6:
        return study
    try:
        text = json.dumps(study)
    except (TypeError, ValueError):
        return study
    for _ in range(rng.integers(0, 3)):
        at = int(rng.integers(len(text)))
        text = text[:at] + TEXTS[rng.integers(len(TEXTS))] + text[at + int(rng.integers(0, 3)) :]
    return text if rng.random() < 0.5 else text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_damaged_study_is_read_or_refused(seed):
    rng = np.random.default_rng(seed)
    for _ in range(count(2000, seed)):
        study = damaged_study(rng)
        try:
            with ends_well():
                asked = Study.from_json(study)
                _ = asked.price, asked.most
            with ends_well():
                values, _ = files.from_study(study if isinstance(study, bytes) else json.dumps(study, default=str).encode())
                studies.study(values)
        except Exception as why:
            raise AssertionError(f"{study!r}"[:2000]) from why


@pytest.mark.parametrize("seed", SEEDS)
def test_a_damaged_table_is_read_or_refused(seed):
    rng = np.random.default_rng(seed)
    for i in range(count(2000, seed)):
        data = bytearray(TABLES[rng.integers(len(TABLES))])
        for _ in range(rng.integers(1, 6)):
            at = int(rng.integers(len(data) + 1))
            data[at : at + int(rng.integers(0, 3))] = CELLS[rng.integers(len(CELLS))]
        how = [(None, None), (";", None), (None, "y"), (",", "x1")][rng.integers(4)]
        try:
            with ends_well():
                table = read_csv(bytes(data), bool(i % 2), *how)
                assert np.isfinite(table.x).all()
                assert set(table.y) == {1, -1}
                assert len(table.summary) < 5000
        except Exception as why:
            raise AssertionError(f"{bytes(data)!r}"[:2000]) from why


def damaged_picture(rng, kind) -> bytes:
    """The bytes of a small grey picture of some mode, damaged."""
    every = ["L", "LA", "P", "RGBA", "1", "I;16"]
    modes = {"bmp": ["L", "P", "RGB", "1"], "jpg": ["L", "RGB"], "pgm": ["L"], "gif": ["L", "P"]}.get(kind, every)
    mode, grey = modes[rng.integers(len(modes))], Image.fromarray(rng.integers(0, 256, (8, 8), np.uint8))
    image = Image.fromarray(rng.integers(0, 65536, (8, 8), np.uint16)) if mode == "I;16" else grey.convert(mode)
    image.save(file := io.BytesIO(), FORMATS[kind])
    data = bytearray(file.getvalue())
    for _ in range(rng.integers(0, 6)):
        at = int(rng.integers(len(data)))
        data[at : at + int(rng.integers(0, 3))] = rng.bytes(int(rng.integers(0, 4)))
    return bytes(data[: int(rng.integers(1, len(data) + 1))] if rng.random() < 0.2 else data)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_damaged_picture_is_read_or_refused(seed, tmp_path):
    rng = np.random.default_rng(seed)
    for i in range(count(500, seed)):
        kind = [*FORMATS][rng.integers(len(FORMATS))]
        folder = tmp_path / str(i)
        folder.mkdir()
        Image.new("L", (8, 8)).save(folder / f"a.{kind}", FORMATS[kind])
        (folder / f"b.{kind}").write_bytes(damaged_picture(rng, kind))
        with ends_well():
            images, _ = pictures.load(str(folder))
            assert np.abs(images).max() <= 1


def test_a_small_file_that_would_become_a_large_picture_is_refused_unread(tmp_path):
    Image.new("L", (8, 8)).save(file := io.BytesIO(), "PNG")
    data = bytearray(file.getvalue())
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(data)
    with pytest.raises(BadInput, match=r"a\.png"):
        pictures.load(str(tmp_path))
