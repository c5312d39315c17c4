"""A scene in the address bar: what is written is read back, and nothing that stands in a link can raise."""

import base64
import json
import random
import zlib
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import pytest
from cases import long

from dlab import errors, targets
from dlab.params import BadInput
from dlab.study import DEFAULT, ESTIMATORS, Study
from dlab.study.spec import EXTENDED
from dlab.ui import files, kinds, links, menu, scenes, settings, share, studies, tour
from dlab.ui.kinds import LONGEST_TEXT, Choice, Flag, Number, Rung, Setting, Several, Stretch

rng = random.Random
PAGES = sorted({setting.page for setting in settings.SETTINGS})
SPEC = {"name": "gaussian", "mean": [0.3, -1.0], "cov": [[1.0, 0.2], [0.2, 0.7]]}


def moved(setting: Setting, r):
    """A value that the setting's control can take."""
    match setting:
        case Stretch():
            return tuple(setting.options[i] for i in sorted(r.sample(range(len(setting.options)), 2)))
        case Rung():
            return r.choice(setting.options)
        case Several():
            return tuple(r.sample(list(setting.offered), r.randint(1, setting.most or len(setting.offered))))
        case Choice():
            return r.choice(list(setting.offered))
        case Number():
            rungs = int((setting.high - setting.low) / setting.step + 1e-9)
            return type(setting.step)(round(setting.low + r.randint(0, rungs) * setting.step, 9))
        case Flag():
            return r.random() < 0.5
    return setting.initial


# A posterior of other data takes seconds to be a target; that each of its knobs is carried is a test of its own.
POSTERIORS = ({"rows": 10, "lam": 0.8, "spread": 3.0, "data": 1}, {"rows": 40, "lam": 1.5, "spread": 2.0, "data": 3})


def random_scene(r) -> dict:
    """A scene that the controls allow."""
    values = {name: moved(setting, r) for name, setting in settings.table().items()}
    values |= {f"logistic.{key}": value for key, value in r.choice(POSTERIORS).items()}
    values |= {"particles": r.choice((16, 512, 4096)), "budget": settings.table()["budget"].high}
    values |= {"scene": "", "play": False, "tour": r.choice((0, 1, len(tour.STEPS))), "variances": r.choice((None, (1.0, 0.25)))}
    values |= {name: settings.table()[name].initial for name in settings.LESSON}
    if r.random() < 0.5:
        text = "".join(r.choice("aé–速👩‍🔬 *_[](){}<>&=%#+") for _ in range(LONGEST_TEXT)).strip()
        values |= {
            "title": r.choice(("", "Which falls faster?", "¿½ < 1? 速い <b>&amp;</b> a=b&c;d#e%41+")),
            "question": settings.table()["question"].read(text), "ask": r.choice(("", "速い? & <b> | a=b | *c*", "How many? | -1..20")),
            **{key: tuple(r.sample(list(settings.GROUPS), r.randint(0, len(settings.GROUPS)))) for key in ("hide", "fix")},
        }
    if r.random() < 0.3:
        n = r.randint(1, 4)
        values["hs"] = tuple(sorted({values["T"] / r.randint(1, 60) for _ in range(n)}, reverse=True))
    if r.random() < 0.3 and values["target"] == "logistic":
        values["csv"] = ([[0.5, 1.25], [-2.0, 0.1], [3.0, -1.0]], [1, -1, 1])
    try:
        studies.study(values), studies.curve(values), studies.moving_study(values)
    except BadInput:  # an estimator that does not fit the scheme, a step longer than T, a stop before the grid's end
        values |= {"estimator": "auto", "h": (1.0, 1 / 64), "hs": None, "grid": "uniform", "stop": 0.0}
    return values


def in_force(values: dict, page: str = "") -> dict:
    """What a link has to carry: the settings whose controls are on the screen."""
    read = {n for n, s in settings.table().items() if (s.reads(page) if page else not s.page)}
    seen = {n: v if n in read else settings.table()[n].initial for n, v in values.items()}  # on what keys depend
    told = {n for n in read if settings.table()[n].address_key(seen)} | ({"hs"} if "h" in read else set())
    told -= {"play"} | ({"h"} if values["hs"] else set()) | ({"target"} if values["spec"] else set())
    return {name: values[name] for name in told if name != "csv" or values["target"] == "logistic"}


def same(a, b):
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(same, a, b))
    return a == pytest.approx(b, rel=1e-11, abs=1e-12) if isinstance(a, float) else a == b


def test_a_page_of_its_own_settings_names_what_it_does_not_offer():
    values, notes = links.read({"score_error.which": "0.3", "score_error.models": "XX", "score_error.parts": "0.2"})
    assert (values["score_error.which"], values["score_error.models"], values["score_error.parts"]) == (0.5, "SO", 0.2)
    assert len(notes) == 2
    assert "0.3' is not offered; give one of 0.01, 0.02" in notes[0]
    assert "models = 'XX' is unknown; choose one of EM" in notes[1]
    assert "score_error.which" not in links.write(values, "theory")
    assert links.write(values, "score_error")["score_error.parts"] == "0.2"


@pytest.mark.parametrize("block", [0, 1, 2, *map(long, range(3, 10))])
def test_what_is_written_is_read_back(block):
    for i in range(20):
        before, page = random_scene(rng(1000 * block + i)), PAGES[i % len(PAGES)]
        query = links.write(before, page)
        assert all(isinstance(v, str) for v in query.values())
        url = share.link("https://lab.example.org", page, before)
        assert url.isascii()
        assert dict(parse_qsl(urlsplit(url).query, strict_parsing=True)) == query
        after, notes = links.read(query)
        assert notes == []
        for name, value in in_force(before, page).items():
            assert same(value, after[name]), name
        assert links.write(after, page) == query
        assert links.complete(before)
        assert studies.study(after).key == studies.study(before).key


def test_every_setting_is_carried():
    """Each setting, moved alone, changes the link: none can be forgotten."""
    r, table = rng(7), settings.table()
    data = {"spec": SPEC, "csv": ([[0.5, 1.0], [1.0, -1.0]], [1, -1]), "variances": (1.0, 0.5), "hs": (0.8,), "kept": {"accuracy": 0.03}}
    words = {"title": "Guess", "question": "½ or 1?", "ask": "Which? | ½ | 1", "homework": "halving.7.BCDFGHJK",
             "estimator": "coupled"}  # others fit not every target  # fmt: skip
    for target in targets.PLANAR:
        for error in errors.OFFERED if target == "gaussian" else ("none",):
            base = settings.defaults() | {"target": target, "error": error}
            for name in in_force(base):
                if name in ("target", "error", "scene") or (name in ("spec", "csv") and target != "logistic"):
                    continue
                value = next(v for v in ((data | words).get(name) or moved(table[name], r) for _ in range(99)) if v != base[name])
                query = links.write(base | {name: value})
                assert query != links.write(base), name
                assert same(links.read(query)[0][name], value), name


def test_changed_defaults_leave_old_links_alone(monkeypatch):
    old = links.write(settings.defaults())
    before, _ = links.read(old)
    table, empty = settings.table(), (*settings.LESSON, "present", "scene", "tour", "hs", "csv", "variances")
    left_out = {name: table[name].initial for name in table if name in empty or name not in links.LEFT_OUT}  # these are younger than v=2
    other = random_scene(rng(3)) | left_out | {"target": "skew", "error": "field", "x": "evals"}
    monkeypatch.setattr(settings, "defaults", lambda: dict(other))
    after, notes = links.read(old)
    assert notes == []
    assert in_force(after) == in_force(before)
    assert old["v"] == str(links.VERSION)


def test_another_version_is_said():
    values, notes = links.read({"v": "77", "T": "3"})
    assert values["T"] == 3
    assert len(notes) == 1
    assert "version '77'" in notes[0]


def pack(raw: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode().rstrip("=")


KEYS = {s.address_key(settings.defaults()) for s in settings.SETTINGS} - {""}
MARKUP = "<img src=x onerror=alert(1)>[a](http://e.example)![](http://e.example/p)**b** $x$ :red[y]"
WORDS = ["", " ", MARKUP, "nan", "-inf", "1e999", "9" * 5000, "-1e30",
         "0x10", "x" * 20_000,
         "\x00", "\udc80", "½", "1,x", "..", "None"]  # fmt: skip
PACKED = {
    "no base64": "%%%",
    "cut": kinds.pack({"name": "gaussian", "mean": [0, 0], "cov": [[1, 0], [0, 1]]})[:-9],
    "no zlib": base64.urlsafe_b64encode(b"hello").decode(),
    "no json": pack(b"{"),
    "nan": pack(b'{"name":"gaussian","mean":[NaN,0],"cov":[[1,0],[0,1]]}'),
    "null": pack(b"null"),
    "list": pack(b"[1,2]"),
    "name": pack(b'{"name":["gaussian"]}'),
    "unknown": pack(b'{"name":"gaussian","mean":[0,0],"cov":[[1,0],[0,1]],"__class__":"x"}'),
    "1-D": pack(b'{"name":"gaussian","mean":[0],"cov":[[1]]}'),
    "deep": pack(b"[" * 100_000 + b"]" * 100_000),
    "bomb": pack(b"0" * 50_000_000),
    "bomb of rows": pack(b'{"name":"logistic","x":[' + b"[0,0]," * 300_000 + b'[0,0]],"y":[1],"lam":1}'),
    "long int": pack(b'{"name":"gaussian","mean":[' + b"9" * 6000 + b',0],"cov":[[1,0],[0,1]]}'),
}  # fmt: skip


@pytest.mark.parametrize("key", sorted(KEYS - {"title", "question"}))
def test_hostile_values_are_named_and_replaced(key):
    for text in WORDS if key not in ("ask", "homework") else filter(str.strip, WORDS):  # nothing asked is no mistake
        values, notes = links.read({"target": "logistic", key: text} if key == "data" else {key: text})
        assert studies.study(values), text
        assert notes, (key, text)
        assert key in notes[0]
        assert "instead" in notes[0], notes[0]
        assert sum(map(len, notes)) < 1500, "a note repeats the whole value"
        assert values[key if key in values else "csv"] == settings.defaults().get(key)


KNOBS = [k.name for entry in targets.REGISTRY.values() for k in entry.knobs]
# Percent-encoded as they stand: bytes that are no UTF-8, overlong and other encodings, control and direction marks.
RAW = ["%FF%FE%41%00", "%C0%AF%C0%AE", "%u0041", "+ADw-script+AD4-", "%ED%A0%80", "%00", "%0d%0aSet-Cookie:x", "%E2%80%AE",
       "%F0%9F%92%A9", "%", "%zz", "\u202e", "%2e%2e%2f%2e%2e%2fetc", "%1b%5b31m", "%EF%BB%BF"]  # fmt: skip


def hostile(r) -> str:
    """A query string that nobody means well by."""
    keys = [*KEYS, *KNOBS, "e_level", "e_angle", "dataseed", "v", "zzz", "__proto__", "s:T", "<b>", "T\x00", "k" * 20_000]
    words = [quote(w, errors="surrogatepass") for w in (*WORDS, *PACKED.values())] + RAW
    pairs = [(quote(r.choice(keys)), r.choice(words)) for _ in range(r.randint(1, 6))]
    pairs += [r.choice(pairs)] * r.randint(0, 2)
    pairs += [(r.choice(("T", "seed", "h", "hide", "spec", "nonsense")), r.choice([w for w in words if len(w) < 9000]))]
    r.shuffle(pairs)
    return "&".join(f"{k}={v}" for k, v in pairs)


def as_streamlit(text: str) -> tuple[dict, tuple]:
    """What a page is handed of a query string."""
    found = parse_qs(text, keep_blank_values=True)
    return {k: v[-1] for k, v in found.items()}, tuple(k for k, v in found.items() if len(v) > 1)


def test_500_hostile_query_strings():
    r = rng(20260722)
    for i in range(500):
        text = hostile(r)
        values, notes = links.read(*as_streamlit(text))
        assert notes, (i, text[:300])
        assert sum(map(len, notes)) < 6000, "the notes repeat whole values"
        assert "".join(notes).encode(), "a note that cannot be sent"
        assert studies.study(values), text[:300]
        assert studies.moving_study(values), text[:300]
        assert max(len(values["title"]), len(values["question"])) <= LONGEST_TEXT
        # What was used instead is itself a scene without complaint.
        again, notes = links.read(links.write(values))
        assert notes == []
        assert studies.study(again).key == studies.study(values).key


@pytest.mark.parametrize("key", ["title", "question"])
def test_a_lecturers_words_are_one_line_of_text(key):
    for text in (MARKUP, "速い½", "x" * 200, "a\u200db", "$x$ :red[y] {{7*7}} ${x}"):
        values, notes = links.read({key: text})
        assert (values[key], notes) == (text, [])
    assert links.read({key: "  two \n\t words "})[0][key] == "two words"
    for text in ("x" * 201, "x" * 20_000, "a\x00b", "\udc80", "a\u202eb", "\ufeffx", "\x1b[31m"):
        values, notes = links.read({key: text, "T": "3"})
        assert values == {**settings.defaults(), "T": 3}
        assert len(notes) == 1
        assert notes[0].endswith("Used instead: none."), notes


def test_settings_that_do_not_fit_leave_the_lesson_alone():
    values, notes = links.read({"title": "Mine", "hide": "h", "present": "1", "T": "1", "h": "0.3"})
    assert "do not fit" in notes[0]
    assert (values["title"], values["hide"], values["present"]) == ("Mine", ("h",), True)


@pytest.mark.parametrize("prefix", ["gaussian", "mixture", "skew", "logistic"])
def test_hostile_knobs_are_named_and_replaced(prefix):
    for text in WORDS:
        for knob in targets.REGISTRY[prefix].knobs:
            key = settings.table()[f"{prefix}.{knob.name}"].address_key({**settings.defaults(), "target": prefix})
            values, notes = links.read({"target": prefix, key: text})
            assert values == {**settings.defaults(), "target": prefix}
            assert len(notes) == 1
            assert key in notes[0]
            assert "Used instead: " in notes[0]


@pytest.mark.parametrize("key", ["spec", "data"])
@pytest.mark.parametrize("kind", PACKED)
def test_damaged_packed_data(key, kind):
    query = {"error": "noise", key: PACKED[kind], "T": "3"} | ({"target": "logistic"} if key == "data" else {})
    values, notes = links.read(query)
    assert values == {**settings.defaults(), "target": query.get("target", "gaussian"), "error": "noise", "T": 3}
    assert len(notes) == 1
    assert notes[0].startswith(f"The link's {key} was ignored")
    assert "instead" in notes[0]


def test_unknown_keys_are_named():
    values, notes = links.read({"foo": MARKUP, "x" * 20_000: "1", "target": "skew", "k1": "3"})
    assert values == {**settings.defaults(), "target": "skew"}
    assert len(notes) == 3
    assert "foo" in notes[0]
    assert "k1" in notes[2]
    assert max(map(len, notes)) < 300


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"T": "4", "h": "0.3"}, "0.3"),
        ({"T": "1", "h": "2"}, "h = 2"),
        ({"h": ",".join(["0.5", "0.25"] * 30)}, "h"),
        ({"error": "field", "estimator": "exact"}, "estimator"),
        ({"error": "field", "estimator": "exact", "schemes": "EM"}, "estimator"),
    ],
)
def test_settings_that_contradict_each_other(query, word):
    values, notes = links.read(query)
    assert studies.study(values)
    assert any(word in n and "instead" in n for n in notes), notes


def test_data_too_long_for_a_link_are_left_out_and_said():
    r = rng(5)
    rows = [[r.random(), r.random()] for _ in range(900)]
    values = {**settings.defaults(), "target": "logistic", "csv": (rows, [1, -1] * 450)}
    query = links.write(values)
    assert "data" not in query
    assert not links.complete(values)
    assert max(map(len, query.values())) <= links.LONGEST
    short = {**values, "csv": (rows[:20], [1, -1] * 10)}
    assert links.complete(short)
    assert links.read(links.write(short))[0]["csv"] == short["csv"]


GAUSS = {"name": "gaussian", "mean": [0.5, 0.0], "cov": [[0.7, 0.3], [0.3, 1.0]]}


def close(a, b):
    if isinstance(a, dict):
        # A score error at its default may be written or left out.
        return all(close(a.get(k, 0.0), b.get(k, 0.0)) for k in {*a, *b})
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, (int, float)) and not isinstance(a, bool) and isinstance(b, (int, float)):
        return a == pytest.approx(b, rel=1e-9, abs=1e-9)
    return a == b


def test_every_study_that_the_app_downloads_reopens():
    for i in range(40):
        before = studies.study(random_scene(rng(500 + i)))
        again = studies.study(files.from_study(json.dumps(before.to_json(), indent=1).encode())[0])
        assert close(again.to_json(), before.to_json())


def test_a_study_that_a_page_varies_reopens_there():
    for i in range(10):
        values = random_scene(rng(900 + i)) | {"particles": 256, "accuracy": 0}
        for page, before in (
            ("score error", studies.level_study(values)),
            *(("horizon", s) for s in studies.horizon_studies(values).values()),
            ("dimension", studies.dimension_study(values)),
        ):
            again, notes = files.from_study(json.dumps(before.to_json(), indent=1).encode())
            assert page in notes[-1]
            made = [studies.level_study(again), *studies.horizon_studies(again).values(), studies.dimension_study(again)]
            assert any(close(one.to_json(), before.to_json()) for one in made)


def test_a_study_that_no_page_varies_so_is_refused():
    vary = {"axis": "T", "values": [1.0, 2.5]}
    for changes in ({"vary": vary}, {"vary": {**vary, "values": [1.0, 2.0]}, "h": [0.5, 0.25]}):
        with pytest.raises(BadInput, match="run it from the shell"):
            files.from_study(json.dumps({"target": GAUSS, **changes}).encode())


DATA = {"x": [[4, 0], [1, 4], [-2, 1]], "y": [1, 1, -1]}
HESSIAN = {"name": "none", "hessian": {"kind": "diagonal"}}
KEPT = {  # what of a study file no control shows, and the key that says so
    "accuracy": ({"accuracy": 0.03, "budget": 1_500_000, "estimator": "projected"}, "accuracy"),
    "budget": ({"budget": 10**9}, "budget"),
    "level beyond the slider": ({"score_error": {"name": "constant", "level": 5.0, "angle": -30.0}}, "score_error.level"),
    "hessian": ({"target": targets.REGISTRY["skew"].example, "schemes": ["SO"], "score_error": HESSIAN}, "score_error.hessian"),
    "learned": ({"score_error": {"name": "learned", "samples": 777}}, "score_error"),
    **{
        f"logistic, {more}": ({"target": {"name": "logistic", **DATA, "lam": 1.0, **more}}, None)
        for more in ({"score": "laplace"}, {"score": "local"}, {"atoms": 50, "atom_seed": 3})
    },
    "logistic made": ({"target": {"name": "logistic", "features": 2, "rows": 10, "lam": 1}}, None),
    "penalty beyond the slider": ({"target": {"name": "logistic", **DATA, "lam": 9.0}}, None),
    **{f"target {name}": ({"target": entry.example}, None) for name, entry in targets.PLANAR.items()},
    **{
        f"error {name}": ({"schemes": ["SO"], "score_error": {**entry.example, "hessian_level": 0.25}}, None)
        for name, entry in errors.OFFERED.items()
    },
    "grid": ({"grid": {"name": "karras", "rho": 5.0}, "steps": [8, 16, 32], "schemes": ["DDPM", "CHURN"], "churn": 5.0}, None),
    "grid that ends early": ({"grid": {"name": "log-snr", "last": "sigma_min"}, "steps": [16], "schemes": ["2M"], "start": "vp"}, None),
    "stop": ({"stop": 0.01, "steps": [8, 16]}, None),
    "noise beyond the slider": ({"schemes": ["DDPM"], "noise": 0.7}, "noise"),
    **{
        f"{key} {value}": ({key: value}, None)
        for key, values in {
            "schemes": [["SO", "EM"]], "h": [[4 / 3, 0.5]], "steps": [[3, 7]], "T": [3.0], "start": ["paper"],
            "estimator": sorted({*ESTIMATORS} - {"frechet"}), "particles": [17],
            "accuracy": [0.1], "seed": [2**31 - 1], "reach": [[0.5, 0.2]],
        }.items() for value in values
    },
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_the_study_of_a_file_runs_as_it_is(name):
    """Field by field, also from the link of the scene; what no control shows is named."""
    changes, key = KEPT[name]
    asked = {"target": GAUSS, "h": [0.5], "schemes": ["EM"], "budget": 10**9 if "accuracy" in changes else None} | changes
    asked.pop("h" if "steps" in changes else "", None)
    before = Study.from_json(asked).to_json()
    values, notes = files.from_study(json.dumps(before).encode())
    before.pop("reach", None)
    for scene in (values, links.read(links.write(values))[0]):
        now = studies.curve(scene).to_json()
        for field in {**before, **now}:
            assert close(before.get(field), now.get(field)), field
    assert any(key in note for note in notes) if key else "reach" in changes or not notes


def test_every_key_of_the_contract_is_opened_by_some_file():
    keys = {"steps"} | {key for changes, _ in KEPT.values() for key in changes}
    assert keys | {"schema", "vary", "growth"} == {*DEFAULT, *EXTENDED, "steps"}  # of images alone: growth


def test_repeated_keys_are_named():
    values, notes = links.read({"k1": "3"}, ("k1",))
    assert values["gaussian.k1"] == 3
    assert len(notes) == 1
    assert "'k1'" in notes[0]
    assert "the last" in notes[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "JSON"),
        (b"\xff\xfe\x00", "JSON"),
        (b"[1]", "study"),
        (b"{}", "target"),
        (b'{"schema": 2, "target": {"name": "gaussian"}}', "schema"),
        (json.dumps({"target": {"name": "gaussian", "mean": [0], "cov": [[1]]}}).encode(), "d = 1"),
        (json.dumps({"target": GAUSS, "T": 20}).encode(), "T = 20"),
        (json.dumps({"target": GAUSS, "T": 1.5, "h": [0.5]}).encode(), "T = 1.5"),
        (json.dumps({"target": GAUSS, "reach": [0.3, 0.1]}).encode(), "reach = [0.3, 0.1]"),
    ],
)
def test_what_the_pages_cannot_open_is_said(text, says):
    with pytest.raises(BadInput) as error:
        files.from_study(text)
    assert says in str(error.value)


TYPICAL = {"target": "gaussian", "k1": "2.3", "k2": "0.8", "schemes": "EM,REI,SO", "h": "0.5..0.0078125", "T": "6", "seed": "3"}


def test_typical_links_are_short_enough_to_be_read_out():
    """On a local network, where an address begins with some twenty characters."""
    shared = [(entry.page, links.address(entry)) for entry in (*scenes.SCENES, *tour.STEPS)]
    for page in menu.PAGES:
        shared += [(page, links.write(settings.defaults(), page)), (page, links.write(links.read(TYPICAL)[0], page))]
    for page, query in shared:
        assert len(f"http://192.168.1.23:8501/{page}?{urlencode(query)}") < 150, (page, query)


@pytest.mark.parametrize("scene", scenes.SCENES, ids=lambda scene: scene.name)
def test_what_a_page_writes_while_a_scene_is_open_is_read_back_without_a_note(scene):
    values, _ = links.read(links.address(scene))
    for page in menu.PAGES:
        again, notes = links.read(links.write(values, page))
        assert not notes, page
        assert again["scene"] == (scene.name if page == scene.page else "")
