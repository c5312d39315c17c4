"""The shell: `python -m dlab run study.json --out DIR`, `make KIND study.json`, `check study.json`, `list`."""

import argparse
import json
import sys
import time
from pathlib import Path

from dlab.cache import dumps
from dlab.params import BadInput, shortened, show

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
TELLING = 0.02  # share of the work whose time tells that of the rest


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise BadInput(f"{shortened(message, 200)}; see python -m dlab --help")


def main(argv=None) -> int:
    """Run the command line; returns the exit status: 0, 2 for bad input, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal of few characters, LC_ALL=C, still gets the rest
    parser = _Parser(prog="python -m dlab", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    run = commands.add_parser("run", help="run a study file and write result.json, rows.csv, figure.html, figure.svg")
    run.add_argument("study", help="study file (JSON), or - for standard input")
    run.add_argument("--out", metavar="DIR", help="folder for the files; made if it is not there")
    run.add_argument("--json", action="store_true", help="print the result alone on standard output")
    make = commands.add_parser("make", help="print another answer about a study as JSON, one of those that list names")
    make.add_argument("kind", help="which answer")
    make.add_argument("study", help="study file (JSON), or - for standard input")
    make.add_argument("which", nargs="*", help="what the kind asks for besides, a scheme and a number of steps for instance")
    check = commands.add_parser("check", help="check a study file and say what it will cost")
    check.add_argument("study", help="study file (JSON), or - for standard input")
    check.add_argument("kind", nargs="?", help="an answer that is checked in the place of a run")
    check.add_argument("which", nargs="*", help="what it asks for besides")
    commands.add_parser("list", help="list schemes, targets, score errors, estimators and answers")
    try:
        args = parser.parse_args(argv)
        return {"run": _run, "make": _make, "check": _check, "list": _list}[args.command](args)
    except BadInput as error:
        print(f"dlab: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print("dlab: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return 0


def _read(path):
    from dlab import pictures
    from dlab.study import Study

    pictures.beside = None if path == "-" else Path(path).parent
    try:
        return Study.from_json(sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes())
    except (OSError, UnicodeError) as error:
        raise BadInput(f"study = {show(path, 200)} cannot be read ({_reason(error)}); give the path of a JSON study file") from None


def _reason(error) -> str:
    """What the system says, without the path, which the sentence has."""
    return getattr(error, "strerror", None) or str(error)


def _run(args) -> int:
    from dlab.study import stream

    study = _read(args.study)
    if args.out is None and not args.json:
        raise BadInput("run has nowhere to put the result; give --out DIR, --json, or both")
    out = None
    if args.out is not None:
        out = Path(args.out)
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(
                f"--out = {show(args.out, 200)} cannot be made ({_reason(error)}); give a folder that can be written"
            ) from None
    result, status, meter = None, 0, _Meter()
    try:
        for latest in stream(study, meter):
            result = latest
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    meter.close()
    if result is None:
        print("dlab: interrupted before the first row was done; nothing was written", file=sys.stderr)
        return status
    data = result.to_json()
    if status:
        data["notes"].insert(0, f"Interrupted: the rows are those done by then ({len(data['rows'])} rows).")
        print(f"dlab: interrupted; kept the {len(data['rows'])} rows done so far", file=sys.stderr)
    if out is not None:
        try:
            _write(data, out)
        except OSError as error:
            raise BadInput(f"--out: {show(str(error.filename), 200)} cannot be written ({_reason(error)}); give another folder") from None
    if args.json:
        print(dumps(data, indent=1))
    return status


def _write(data, out):
    from dlab import export
    from dlab.figures.figure import figure

    drawn = figure(data)
    (out / "result.json").write_text(dumps(data, indent=1), encoding="utf-8")
    (out / "rows.csv").write_bytes(export.rows_csv(data))
    if answers := data.get("reach"):
        (out / "reach.csv").write_bytes(export.rows_csv({"rows": answers}))
    for kind in ("html", "svg"):
        (out / f"figure.{kind}").write_bytes(export.figure_bytes(drawn, kind))
    names = ["result.json", "rows.csv", *(["reach.csv"] if answers else []), "figure.html", "figure.svg"]
    print(f"dlab: wrote {', '.join(names)} to {out}", file=sys.stderr)


def _make(args) -> int:
    from dlab import answers

    asked, study = answers.find(args.kind), _read(args.study)
    which, meter = _which(asked, study, args), _Meter()
    *_, found = asked.stream(study, *which, tick=lambda *done: meter(done[0]) if done else None)
    meter.close()
    print(dumps(found, indent=1))
    return 0


def _which(asked, study, args) -> list:
    """What an answer asks for beside the study, from what was typed."""
    if len(args.which) != len(names := asked.arguments):
        usage = " ".join([args.command, args.kind, "study.json", *(n.upper() for n in names)])
        raise BadInput(f"{args.kind} takes {len(names)} values beside the study and got {len(args.which)}: {usage}")
    return [_value(study, *pair) for pair in zip(names, args.which)]


def _value(study, name, text):
    """The value of an answer's argument from what was typed."""
    from dlab import params
    from dlab.answers import images

    if name == "scheme":
        return params.choice(name, text, study.schemes)
    if name == "steps":
        return params.integer(name, params.typed(name, text), 1, params.MAX_STEPS)
    if name == "count":
        return params.integer(name, params.typed(name, text), 1, images.MOST)
    if name == "condition":
        return params.number(name, params.typed(name, text), low=1.0, high=1e6)
    if name == "t":
        return params.number(name, params.typed(name, text), above=0.0, high=study.T)
    try:
        return json.loads(text)
    except ValueError:
        return text


def _check(args) -> int:
    from dlab import answers

    study = _read(args.study)
    if args.kind is not None:
        asked = answers.find(args.kind)
        which = _which(asked, study, args)
        cost = f"{asked.cost(study, *which):.3g} particle-steps, " if asked.cost else ""
        print(f"ok: {asked.name}, {cost}about {asked.check(study, *which) / 1e6:.0f} MB of memory")
        return 0
    _ = [(part.built.facts, part.work and part.built.fast_field) for _, part in study.parts]  # a target may be too sharp for these
    rows = sum(len(part.schemes) * len(part.steps) for _, part in study.parts)
    networks = sum(not part.error.ready for _, part in study.parts)
    first = f", after the training of {networks} network{'s' * (networks > 1)}" if networks else ""
    cost = f", {study.work:.3g} particle-steps{first}" if study.work else " by exact law"
    print(f"ok: {rows} rows{cost}, about {study.memory / 1e6:.0f} MB of memory")
    return 0


def _list(args) -> int:
    from dlab import answers, errors, measure, schemes, targets

    for title, registry in (
        ("schemes", schemes.REGISTRY),
        ("targets", targets.REGISTRY),
        ("score errors", errors.REGISTRY),
        ("estimators", measure.REGISTRY),
    ):
        print(f"{title}:")
        for name, entry in registry.items():
            print(f"  {name:<10} {entry.title}")
    print("answers:")
    for name, entry in answers.REGISTRY.items():
        print(f"  make {' '.join([name, 'study.json', *(a.upper() for a in entry.arguments)])}\n             {entry.title}")
    return 0


class _Meter:
    """Progress on stderr, once a second and only for runs that last; the time left once a part is done that tells it."""

    def __init__(self):
        self.begun = self.said = time.monotonic()

    def __call__(self, done):
        now = time.monotonic()
        if now - self.said >= 1:
            self.said = now
            left = f", about {(now - self.begun) * (1 - done) / done:.0f} s left" if done >= TELLING else ""
            print(f"\rdlab: {done:4.0%} done{left:24}", end="", file=sys.stderr, flush=True)

    def close(self):
        if self.said != self.begun:
            print(file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
