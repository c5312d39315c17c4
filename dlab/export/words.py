"""A result in words for a paper: LaTeX table, caption, Python that reproduces it; what to cite."""

import pprint
import re

from dlab import __version__, measure, schemes, targets
from dlab.figures import along
from dlab.figures.numbers import NONE, listed, number, order, place, size, size_text, step_size
from dlab.figures.tables import (
    diverged,
    fit_of,
    fitted,
    has_slope,
    no_value,
    rows_of,
    schemes_of,
    slope_text,
    value_text,
)

STARTS = {"exact": "the exact law at time T", "paper": "N(0, σ²I) at time T", "vp": "N(0, I) at time T"}

# Titles, names and numbers as CITATION.cff has them; a test compares the two.
PAPERS = (
    ("inproceedings", "yu2025advancing", {
        "author": "Yu, Yifeng and Yu, Lu",
        "title": "Advancing {W}asserstein Convergence Analysis of Score-Based Models: "
                 "Insights from Discretization and Second-Order Acceleration",
        "booktitle": "Advances in Neural Information Processing Systems (NeurIPS 2025)", "year": "2025",
        "eprint": "2502.04849"}),
    ("misc", "pfarr2026analyzing", {
        "author": "Pfarr, Emanuel and Timofte, Radu and Werner, Frank",
        "title": "Analyzing the Error of Generative Diffusion Models: From {E}uler-{M}aruyama to Higher-Order Schemes",
        "year": "2026", "eprint": "2601.18425"}),
    ("misc", "arsenyan2025assessing", {
        "author": "Arsenyan, Vahan and Vardanyan, Elen and Dalalyan, Arnak",
        "title": "Assessing the Quality of Denoising Diffusion Models in {W}asserstein Distance: "
                 "Noisy Score and Optimal Bounds",
        "year": "2025", "eprint": "2506.09681"}),
)  # fmt: skip
LAB = "dlab: a lab for the {W}asserstein convergence of diffusion samplers"


def bibtex() -> str:
    """BibTeX of the three papers and of this version of the lab."""
    entries = []
    for kind, key, fields in PAPERS:
        arxiv = fields["eprint"]
        entries.append((kind, key, {**fields, "archiveprefix": "arXiv", "url": f"https://arxiv.org/abs/{arxiv}"}))
    entries.append(("misc", "dlab", {"author": "{The dlab authors}", "title": LAB, "note": f"Software, version {__version__}"}))
    return "\n\n".join(
        f"@{kind}{{{key},\n" + "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items()) + "}"
        for kind, key, fields in entries
    ) + "\n"  # fmt: skip


def caption(result: dict) -> str:
    """What was measured, how and with which interval, of which target, T, start, score error and seed, by which version."""
    study, axis = result.get("study") or {}, _axis(result)
    result = _shown(result)
    rows, names = result.get("rows") or [], schemes_of(result)
    by = f"{axis.title} at {place(rows[0])}" if axis and rows else "number of steps" if _uneven(rows) else "step size h"
    said = [f"W₂ distance between the law of {listed(names) or 'a scheme'} and the target p₀, by {by}"]
    # Schemes measured alike are said together.
    by_method = {}
    for name in names:
        for method in dict.fromkeys(r.get("method") for r in rows_of(result, name)):
            by_method.setdefault(method, []).append(name)
    for method, who in by_method.items():
        mine = [r for r in rows if r.get("method") == method]
        paths = sorted({r["particles"] for r in mine if r.get("particles")})
        count = f"{paths[0]} to {paths[-1]}" if len(paths) > 1 else f"{paths[0] if paths else 'many'}"
        who = f" ({listed(who)})" if len(by_method) > 1 else ""
        said.append(f"Value{who} {measure.method(method or 'measured').caption.format(n=count)}")
    if any(r.get("stderr") for r in rows):
        said.append("Each ± is a 95 % interval, 1.96 standard errors of the mean over Brownian paths")
    elif rows:
        said.append("The values have no sampling error")
    if axis and any(has_slope(along.trend(result, s, size(rows[0]))) for s in names):
        found = "Rates are those at which log W₂ falls with T" if axis.symbol == "T" else f"Slopes in {axis.symbol} are fits in log–log"
        said.append(f"{found}, with 95 % intervals")
    elif any(has_slope(fit_of(result, s)) for s in names) and not axis:
        window = next((f["window"] for f in result.get("fits") or () if f.get("window")), None)
        by_hand = f" over h from {step_size(max(window))} to {step_size(min(window))}" if window else ""
        said.append(f"Slopes are weighted least-squares fits on log–log axes{by_hand}, with 95 % intervals")
    if result.get("reach"):
        said.append("For an accuracy ε, N is the smallest number of steps with W₂ < ε, found by search")
    if any(r.get("bound") is not None for r in rows):
        said.append("The bound is the leading term of Yu and Yu's theorem")
    said.append(_scene(_fixed(study)))
    versions = result.get("versions") or {}
    others = [f"{name} {value}" for name, value in versions.items() if name != "dlab"]
    said.append(f"dlab {versions.get('dlab', __version__)}" + (f" ({', '.join(others)})" if others else ""))
    return ". ".join(said) + "."


def motion_caption(study: dict, steps: int, particles: int, sentence: str) -> str:
    """What a film of particles shows, of which target, T, start, score error and seed, by which version; sentence: its distances."""
    same = " on the same Brownian paths" if len(study["schemes"]) > 1 else ""
    of = "" if study.get("grid") or study.get("stop") else f" of h = {step_size(study['T'] / steps)}"
    return ". ".join([
        f"{particles} particles of {listed(study['schemes'])} in {steps} steps{of}{same}; lines are the "
        f"density of the exact p_t",
        sentence.removesuffix("."), _scene(study), f"dlab {__version__}.",
    ])  # fmt: skip


def _uneven(rows) -> bool:
    return any(r["h"] is None for r in rows)


def _axis(result) -> along.VariedAxis | None:
    """How the axis is spoken of that a study varies, None where it varies h alone."""
    vary = (result.get("study") or {}).get("vary")
    return along.varied_axis(vary["axis"]) if vary else None


def _shown(result) -> dict:
    """The result with the rows that table and caption are of: of a study that varies an axis, those of the finest h."""
    if _axis(result) is None or not result["rows"]:
        return result
    finest = min(map(size, result["rows"]))
    return {**result, "rows": [r for r in result["rows"] if size(r) == finest], "reach": None}


def _fixed(study) -> dict:
    """The study without what it varies."""
    axis = (study.get("vary") or {}).get("axis", "")
    owner, _, key = {"d": "target.dim"}.get(axis, axis).partition(".")
    if not key:
        return {k: v for k, v in study.items() if k != axis}
    fixed = study[owner]
    if owner == "target" and key not in fixed and fixed.get("name") in targets.REGISTRY:  # a slider's, on which several keys depend
        fixed = {"name": fixed["name"], **(targets.REGISTRY[fixed["name"]].knobs_of(fixed) or {})}
    return {**study, owner: {k: v for k, v in fixed.items() if k != key}}


def _scene(study) -> str:
    target = study.get("target") or {}
    parts = [f"Target: {_spec(target)}"] if target else []
    parts += [f"T = {study['T']:g}"] if study.get("T") else []
    parts += [f"grid {_spec(study['grid'])}"] if study.get("grid") else []
    parts += [f"stopped at t = {study['stop']:g}"] if study.get("stop") else []
    parts += [f"{key} = {study[key]}" for key in (*schemes.OPTIONS, "growth") if study.get(key) is not None]
    parts += [f"start from {STARTS.get(study['start'], study['start'])}"] if study.get("start") else []
    error = study.get("score_error") or {}
    parts += ["no score error" if error.get("name") == "none" and len(error) == 1 else f"score error {_spec(error)}"] if error else []
    parts += [f"seed {study['seed']}"] if study.get("seed") is not None else []
    return ", ".join(parts)


def _spec(spec) -> str:
    """skew (lam = 0.8, c = 1.5): the object of a study file, long lists by their length."""
    def said(value):
        if isinstance(value, (list, tuple)):
            text = f"[{', '.join(map(said, value))}]"
            return text if len(text) <= 60 else f"{len(value)} rows"
        return f"{value:g}" if isinstance(value, (int, float)) else str(value)

    inside = ", ".join(f"{name} = {said(value)}" for name, value in spec.items() if name != "name")
    return f"{spec.get('name')} ({inside})" if inside else str(spec.get("name"))


def latex_table(result: dict) -> str:
    """The rows as a LaTeX table with its caption; needs the package booktabs and nothing else, any engine.

    One block a scheme with its measured slope and the theorem's order; an asterisk marks what is not fitted. Of a study that
    varies an axis the rows of its finest step size, by the axis.
    """
    axis, shown = _axis(result), _shown(result)
    symbol = ("$N$" if _uneven(shown.get("rows") or []) else "$h$") if axis is None else _symbol(axis)
    lines, hollow = [], False
    for name in schemes_of(shown):
        mine, line, title = rows_of(shown, name), fit_of(shown, name), ""
        if axis:
            mine.sort(key=lambda r: r["value"])
            line = along.trend(shown, name, size(mine[0]))
        if name in schemes.REGISTRY:
            title = f", {latex(schemes.REGISTRY[name].title)}"
        lines.append(rf"\midrule{chr(10)}\multicolumn{{5}}{{l}}{{{latex(name)}{title}{_slope(line, axis)}}} \\")
        for row in mine:
            mark = "$^{*}$" if (along.why(row, line, axis) if axis else not fitted(row, line)) else ""
            hollow |= bool(mark)
            where = f"{row['value']:g}" if axis else size_text(row)
            value = no_value(row) if diverged(row) else _value(value_text(row))
            evals = (row.get("score_evals") or 0) + (row.get("hessian_evals") or 0)
            bound = NONE if row.get("bound") is None else number(row["bound"])
            lines.append(f"${where}$ & {row.get('steps', NONE)} & {evals} & {value}{mark} & {_value(bound)} " + r"\\")
    said = caption(result) + (" An asterisk marks values that no slope is fitted to." if hollow else "")
    return "\n".join([
        "% needs \\usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex(said)}}}",
        r"\begin{tabular}{rrrrr}",
        r"\toprule",
        rf"{symbol} & steps & evaluations & $W_2$ & bound \\",
        *lines,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
        "",
    ])  # fmt: skip


def _slope(line, axis) -> str:
    """What is said of a scheme's slope in the head of its block."""
    if not has_slope(line):
        return ""
    if axis is None:
        promised = line.get("theory_order")
        told = "" if promised is None else f", theorem's order {latex(order(promised))}"
        return f": slope {_value(slope_text(line))}{told}"
    told = "rate" if axis.symbol == "T" else f"slope in {_symbol(axis)}"
    return f": {told} {_value(along.slope_said(line, axis))}"


def _symbol(axis) -> str:
    return f"${axis.symbol}$" if axis.symbol in ("T", "d") else latex(axis.symbol)


def _value(text: str) -> str:
    """A number or interval of `numbers` in math mode: 1.02 ± 0.02, (1.7 ± 0.3)×10⁻⁴."""
    if text == NONE:
        return "--"
    text = re.sub(r"×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)$", lambda found: rf" \times 10^{{{found[1].translate(_LOWERED)}}}", text)
    return f"${text.replace('±', chr(92) + 'pm').replace('−', '-')}$"


_LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
# Every character of the lab's texts that LaTeX does not take as it stands.
_PLAIN = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--", "—": "---", "−": "$-$", "±": r"$\pm$", "½": r"$\frac12$",
    "σ": r"$\sigma$", "ε": r"$\varepsilon$", "λ": r"$\lambda$", "≲": r"$\lesssim$", "√": r"$\surd$", "×": r"$\times$",
    "°": r"$^\circ$", "…": r"\dots{}", "“": "``", "”": "''", "<": "$<$", ">": "$>$", "|": "$|$",
    **{chr(0x2080 + k): f"$_{k}$" for k in range(10)}, **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", (f"$^{k}$" for k in range(10)))), "⁻": "$^-$",
}  # fmt: skip


def latex(text: str) -> str:
    """Plain text as LaTeX, nothing in it a command; letters beyond ASCII stay, other signs that it may not know become ?."""
    text = str(text).replace("σ_T²", "\0")  # a sub- and a superscript of one letter belong to one formula
    text = "".join(_PLAIN.get(c, c if c < "\x7f" or c.isalpha() else "?") for c in text)
    return text.replace("\0", r"$\sigma_T^2$").replace(r"p\_T", "$p_T$").replace("p$_0$", "$p_0$").replace("W$_2$", "$W_2$")


def snippet(result: dict) -> str:
    """Python that runs the study again and prints its rows and fits; run it in a clone of the lab.

    ValueError where the target is a function of somebody's own, which no file holds.
    """
    study = result["study"]
    if (study.get("target") or {}).get("name") == "custom":
        raise ValueError("the target is a function of your own, which a snippet does not hold; keep the script that defines it")
    window = next((tuple(f["window"]) for f in result.get("fits") or () if f.get("window")), None)
    imports = "Study, refitted, run" if window else "Study, run"
    refit = [f"result = refitted(result, {window!r})"] if window else []
    versions = ", ".join(f"{name} {value}" for name, value in (result.get("versions") or {"dlab": __version__}).items())
    return "\n".join([
        f"# The numbers of this study were computed by {versions}.",
        f"from dlab.study import {imports}",
        "",
        f"study = Study.from_json({_literal(study)})",
        "result = run(study).to_json()",
        *refit,
        'print("scheme,h,w2,stderr,bound")',
        'for row in result["rows"]:',
        '    print(row["scheme"], row["h"], row["w2"], row["stderr"], row["bound"], sep=",")',
        'for fit in result["fits"]:',
        '    print("#", fit["scheme"], "slope", fit["slope"], "from", fit["slope_low"], "to", fit["slope_high"])',
        *(_REACHED if study.get("reach") else ()),
        "",
    ])  # fmt: skip


_REACHED = (
    'for answer in result["reach"]:',
    '    print("#", answer["scheme"], "comes below", answer["epsilon"], "with", answer["steps"], "steps")',
)


def motion_snippet(study: dict, steps: int, particles: int) -> str:
    """Python that moves the particles of a scene again and prints each scheme's distance at the end."""
    return "\n".join([
        f"# A scene of dlab {__version__}: {steps} steps of {particles} particles.",
        "from dlab.answers import trajectory",
        "from dlab.study import Study",
        "",
        f"study = Study.from_json({_literal(study)})",
        f"motion = trajectory.motion(study, study.schemes, {steps}, {particles})",
        "for track in motion.tracks:",
        "    print(track.scheme, track.method, track.distance[-1])",
        "",
    ])  # fmt: skip


def _literal(study) -> str:
    return pprint.pformat(study, sort_dicts=False, width=100, compact=True)
