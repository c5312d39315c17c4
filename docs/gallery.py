"""Ten findings, each as a picture, a sentence, the link that opens it in the app and its study file.

`python docs/gallery.py` writes docs/gallery.md, the study files in docs/gallery/, the README's table, and the pictures and sentences in
dlab/ui/findings/, which Home shows; --check says whether it would change the words. The numbers are prepared results and exact laws:
nothing is simulated.
"""

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402

from dlab import engine, export  # noqa: E402
from dlab.figures import convergence  # noqa: E402
from dlab.figures.numbers import number  # noqa: E402
from dlab.figures.tables import levelled, rows_of  # noqa: E402
from dlab.ui import findings, links, studies, tour  # noqa: E402
from dlab.ui.scene import Scene  # noqa: E402
from dlab.ui.scenes import BY_NAME  # noqa: E402

PAGE, FOLDER, README = ROOT / "docs" / "gallery.md", ROOT / "docs" / "gallery", ROOT / "README.md"
PICTURES = findings.FOLDER.relative_to(ROOT)
HERE = "http://localhost:8501/"  # where the app stands on the reader's own machine
WIDTH, TYPE, COLOURS, MOST = 620, 12, 48, 20_000  # px, points of its text, of its palette, bytes of a picture
BEGIN, END = "<!-- findings: python docs/gallery.py -->\n", "<!-- end of findings -->\n"
ACROSS = 2  # pictures side by side in the README


@dataclass(frozen=True)
class Finding:
    """query: the address of the page Convergence that shows it; says(result, fields): the sentence, of a result file's object and the
    fields of the prepared scene's answer, where it is one."""

    name: str
    title: str
    query: dict
    says: Callable[[dict, dict], str]

    @property
    def values(self) -> Scene:
        values, notes = links.read(self.query)
        if notes:
            raise ValueError(f"the link of {self.name} is not read as it stands: {' '.join(notes)}")
        return Scene(values)

    @property
    def study(self):
        return studies.curve(self.values)

    @property
    def address(self) -> str:
        """Relative to that of the app."""
        return f"convergence?{urlencode(self.query, safe=',.')}"

    def result(self) -> dict:
        """The kept or exact result."""
        found = engine.result(self.study)
        if found is None:
            raise ValueError(f"the result of {self.name} is not prepared; python -m dlab.ui.prepared writes what is stale")
        return found

    def sentence(self) -> str:
        scene, found = BY_NAME.get(self.values.scene), self.result()
        return self.says(found, scene.numbers(found) if scene else {})

    def picture(self) -> bytes:
        """What the page draws, as a small PNG."""
        v = self.values
        brackets = v.brackets == "always" or (v.brackets == "few" and len(v.schemes) <= 2)
        chart = convergence.chart(self.result(), v.x, bounds=v.bounds, brackets=brackets)
        drawn = Image.open(io.BytesIO(export.figure_bytes(chart, "png", width_px=WIDTH, font_pt=TYPE))).convert("RGB")
        file = io.BytesIO()
        drawn.quantize(COLOURS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        return file.getvalue()


def scene(name: str, title: str, says: Callable) -> Finding:
    return Finding(name, title, links.address(BY_NAME[name]), says)


def _finest(result, scheme) -> str:
    return number(rows_of(result, scheme)[-1]["w2"])


def _plain(text: str) -> str:
    return text.replace("$h$", "h")


def _clouds(result, _) -> str:
    floor, first, last = result["rows"][0]["floor"], rows_of(result, "EM")[0], rows_of(result, "EM")[-1]
    return (
        f"Measured between two clouds of points, halving h four times takes EM's distance only from {number(first['w2'])} to "
        f"{number(last['w2'])}: two clouds of one and the same law are {number(floor)} apart."
    )


def _ridge(result, _) -> str:
    coarse, next_to = ({r["scheme"]: r["w2"] for r in result["rows"] if r["h"] == h} for h in (0.5, 0.25))
    fell = {s: number(coarse[s] / next_to[s]) for s in coarse}
    return (
        f"Across a ridge of curvature 8, steps of ½ lead past it: EM ends at W₂ = {number(coarse['EM'])}, SO at {number(coarse['SO'])}; "
        f"halving h once divides these by {fell['EM']} and {fell['SO']}."
    )


FINDINGS = (
    scene("halving", "The true orders are twice the theorems'",
          lambda r, f: f"Halving h divides EM's error by {f['EM']} and SO's by {f['SO']}; the theorems promise factors of 1.41 and 2."),
    scene("bound", "The bound is a guarantee, not an estimate",
          lambda r, f: f"At h = {f['h']} the theorem's bound is {f['bound']} and EM's error {f['w2']}: {f['times']} times smaller."),
    scene("exponential", "A smaller bound is not a smaller error",
          lambda r, f: f"At h = {f['h']} EI's bound is {f['EI_bound']}, EM's {f['EM_bound']}; EI's error is {f['least']} to {f['most']} "
                       "times EM's."),
    scene("floor", "A wrong score leaves a floor",
          lambda r, f: f"A score error of {r['study']['score_error']['level']:g} leaves EM and SO at W₂ = {f['SO']}, however small h is."),
    scene("evaluations", "Two scores beat one Hessian",
          lambda r, f: f"With {f['most']} evaluations REM reaches {f['REM']}, REI {f['REI']} and SO {f['SO']}, {f['times']} times REM's."),
    scene("bend", "Order 2 comes late where the score bends",
          lambda r, f: f"SO's slope is {_plain(f['slopes'])}: order 2 holds only in the limit."),
    scene("void", "Without a theorem there is still convergence",
          lambda r, f: f"On two modes (m₀ = −{f['m0']}) no theorem gives a bound; EM has slope {f['EM_slope']}, SO {f['SO_slope']}."),
    Finding("clouds", "Two clouds do not measure a small W₂", links.address(tour.STEPS[4]), _clouds),
    Finding("start", "The start from pure noise leaves a floor too", {"v": "2", "schemes": "EM,SO", "start": "paper"},
            lambda r, f: f"Started from N(0, σ²I) at T = {r['study']['T']:g}, SO levels off at W₂ = {number(levelled(r)['SO'])}, where the "
                         f"true start leads it to {_finest(FINDINGS[0].result(), 'SO')}."),
    Finding("ridge", "Too large a step overshoots", {"v": "2", "schemes": "EM,SO", "k1": "8"}, _ridge),
)  # fmt: skip


def page() -> str:
    """The text of docs/gallery.md."""
    parts = [
        "# Findings\n",
        "Each picture is what the page Convergence shows; `python docs/gallery.py` makes them all, from prepared results and exact laws.\n"
        f"The links open the lab on this machine, {HERE}; behind any other address of it, the part from `convergence` on does\n"
        "the same. A study file runs in the shell: `python -m dlab run docs/gallery/NAME.json --out out`.\n",
    ]
    for f in FINDINGS:
        parts.append(
            f"## {f.title}\n\n![{f.title}](../{PICTURES}/{f.name}.png)\n\n{f.sentence()}\n\n"
            f"[`{f.address}`]({HERE}{f.address}) · [study file](gallery/{f.name}.json)\n"
        )
    return "\n".join(parts)


def rows() -> str:
    """The README's table: pictures in rows of ACROSS, each over its sentence."""
    cells = [f"[![{f.title}]({PICTURES}/{f.name}.png)](docs/gallery.md)<br>**{f.title}.** {f.sentence()}" for f in FINDINGS]
    lines = [cells[i : i + ACROSS] for i in range(0, len(cells), ACROSS)]
    head = "| " + " | ".join([" "] * ACROSS) + " |\n|" + "---|" * ACROSS + "\n"
    return head + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def filled(text: str) -> str:
    """The README with the table of today between its two marks."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + "\n" + rows() + "\n" + END + rest.split(END)[1]


def words() -> dict[Path, str]:
    """{file: its text}, without the pictures."""
    files = {FOLDER / f"{f.name}.json": json.dumps(f.study.to_json(), indent=1) + "\n" for f in FINDINGS}
    told = [{"name": f.name, "title": f.title, "sentence": f.sentence(), "query": f.query} for f in FINDINGS]
    files[findings.FILE] = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    return {PAGE: page(), README: filled(README.read_text("utf-8")), **files}


def main() -> int:
    changed = [path for path, text in words().items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in sys.argv[1:]:
        print(*[f"stale: {path.relative_to(ROOT)}" for path in changed] or ["the gallery is up to date"], sep="\n")
        return bool(changed)
    FOLDER.mkdir(exist_ok=True)
    for path, text in words().items():
        path.write_text(text, encoding="utf-8")
    for f in FINDINGS:
        (findings.FOLDER / f"{f.name}.png").write_bytes(f.picture())
    return 0


if __name__ == "__main__":
    sys.exit(main())
