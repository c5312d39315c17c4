"""The shell: `python -m dlab run study.json --out DIR`, `make KIND study.json`, `check study.json`, `lesson`, `list`.

`run` takes a folder of study files too, and --vary the product of values over each: see `dlab.engine.many`.
"""

import argparse
import json
import sys
from pathlib import Path

from dlab.cache import dumps
from dlab.meter import Meter
from dlab.params import BadInput, shortened, show

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
TABLES = ("csv", "parquet")
MOST_WORKERS = 1024


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise BadInput(f"{shortened(message, 200)}; see python -m dlab --help")


def main(argv=None) -> int:
    """Run the command line; returns the exit status: 0, 1 where workers were lost, 2 for bad input, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal of few characters, LC_ALL=C, still gets the rest
    parser = _Parser(prog="python -m dlab", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    run = commands.add_parser("run", help="run a study file and write result.json, rows.csv, figure.html, figure.svg")
    run.add_argument("study", help="study file (JSON), a folder of them, or - for standard input")
    run.add_argument("--out", metavar="DIR", help="folder for the files; created if missing")
    run.add_argument("--json", action="store_true", help="print only the result, on standard output")
    run.add_argument("--vary", metavar="AXIS=V1,V2,…", action="append", default=[], help="the study at each value of an axis, or of two")
    run.add_argument("--table", choices=TABLES, default=TABLES[0], help="write rows.parquet beside rows.csv")
    run.add_argument("--scheduler", metavar="ADDRESS", help="run on the workers of this Dask scheduler, tcp://… or tls://…")
    run.add_argument("--workers", metavar="N", help="run on this many worker processes of this machine")
    make = commands.add_parser("make", help="print another answer about a study as JSON; list names them")
    make.add_argument("kind", help="which answer")
    make.add_argument("study", help="study file (JSON), or - for standard input")
    make.add_argument("which", nargs="*", help="what the kind needs besides the study, for instance a scheme and a number of steps")
    check = commands.add_parser("check", help="check a study file and say what it will cost")
    check.add_argument("study", help="study file (JSON), or - for standard input")
    check.add_argument("kind", nargs="?", help="an answer to check instead of a run")
    check.add_argument("which", nargs="*", help="what it needs besides the study")
    lesson = commands.add_parser("lesson", help="write scenes as one HTML file that needs no server")
    lesson.add_argument("scenes", nargs="*", help="names of prepared scenes, or links of the app; by default the nine prepared ones")
    lesson.add_argument("--out", metavar="FILE", default="lesson.html", help="the file; by default lesson.html")
    workers = commands.add_parser("workers", help="start workers that several apps and shells of this machine share")
    workers.add_argument("--workers", type=int, metavar="N", help="how many, one thread each; by default one for each core")
    workers.add_argument("--host", default="127.0.0.1", help="the address to listen on; by default loopback")
    workers.add_argument("--port", type=int, default=8786)
    homework = commands.add_parser("homework", help="links of a homework for each student, and the check of their codes")
    steps = homework.add_subparsers(dest="step", required=True, parser_class=_Parser)
    links = steps.add_parser("make", help="write a CSV of links; each student has a target of their own")
    links.add_argument("--scene", required=True, help="the scene whose question is asked")
    links.add_argument("--students", type=int, required=True, metavar="N")
    links.add_argument("--out", required=True, metavar="CSV")
    links.add_argument("--address", metavar="URL", help="where the lab is served; by default DLAB_ADDRESS or this machine")
    codes = steps.add_parser("check", help="print a CSV of which codes are valid and which answers are right")
    codes.add_argument("answers", help="a CSV with a code in each row")
    links.add_argument("--secret", help="links and marks follow from it; by default a new one")
    codes.add_argument("--secret", required=True, help="the secret that make used")
    commands.add_parser("list", help="list schemes, targets, score errors, estimators and answers")
    try:
        args = parser.parse_args(argv)
        runs = {
            "run": _run, "make": _make, "check": _check, "lesson": _lesson, "homework": _homework, "list": _list, "workers": _workers,
        }  # fmt: skip
        return runs[args.command](args)
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
    from dlab.study.unread import unread

    pictures.beside = None if path == "-" else Path(path).parent
    try:
        study = Study.from_json(sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes())
        for sentence in unread(study):
            print(f"dlab: {sentence}", file=sys.stderr)
        return study
    except (OSError, UnicodeError) as error:
        raise BadInput(f"study = {show(path, 200)} cannot be read ({_reason(error)}); give the path of a JSON study file") from None


def _reason(error) -> str:
    """What the system says, without the path, which the sentence has."""
    return getattr(error, "strerror", None) or str(error)


def _run(args) -> int:
    from dlab import engine, export
    from dlab.engine import many

    axes = [many.axis(text) for text in args.vary]
    asked, several = _asked(args, axes)
    if args.out is None and (several or not args.json):
        raise BadInput("run has nowhere to put the result; give --out DIR" + ("." if several else ", --json, or both"))
    if several and args.json:
        raise BadInput("--json prints the result of one study; leave it out, the results go to --out.")
    if args.table == "parquet":
        export.rows_parquet({})  # says now that it cannot
    out = None if args.out is None else _made(args.out)
    _start(args)
    try:
        return _go(asked, several, out, args)
    finally:
        engine.stop()


def _asked(args, axes) -> tuple[list, bool]:
    """The studies that a command asks for, and whether each has a folder of its own. All are checked before one runs."""
    from dlab.engine import many

    folder = args.study != "-" and Path(args.study).is_dir()
    files = sorted(map(str, Path(args.study).glob("*.json"))) if folder else [args.study]
    if not files:
        raise BadInput(f"study = {show(args.study, 200)} is a folder without study files; put some into it, each as NAME.json.")
    found = []
    for file in files:
        try:
            found += many.product("study" if file == "-" else Path(file).stem, _read(file), axes)
        except BadInput as error:
            raise BadInput(f"{Path(file).name}: {error}" if folder else str(error)) from None
    return found, folder or bool(axes)


def _made(name) -> Path:
    try:
        Path(name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out = {show(name, 200)} cannot be made ({_reason(error)}); give a folder that can be written") from None
    return Path(name)


def _start(args) -> None:
    """Choose where the units of studies run."""
    from dlab import engine, params

    if args.scheduler is not None and args.workers is not None:
        raise BadInput("--scheduler and --workers are both given; give the address, or how many workers this process starts.")
    engine.keep_compiled()
    if args.workers is not None:
        engine.start(workers=params.integer("--workers", params.typed("--workers", args.workers), 1, MOST_WORKERS))
    elif args.scheduler is not None:
        engine.start(scheduler=args.scheduler or " ")


def _go(asked, several, out, args) -> int:
    """Run the studies and write what each gave."""
    from dlab import engine
    from dlab.engine import many

    meter, latest, final, status = Meter(asked), {}, set(), 0
    runs = many.results(asked)
    try:
        for number, done, found in runs:
            meter.moved(number, done)
            if isinstance(found, BaseException):
                if not several or isinstance(found, KeyboardInterrupt):
                    raise found
                status = max(status, EXIT_BAD_INPUT if isinstance(found, BadInput) else EXIT_FAILED)
                latest.pop(number, None)
                meter.line(f"{asked[number].name}: {_sentence(found)}")
            elif found is not None:
                found = dict(found)
                whole = found.pop("done", 1.0) == 1
                latest[number] = found
                meter.points(number, found)
                if whole:
                    final.add(number)
                    if several:
                        _write(found, out / asked[number].name)
            meter.status()
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    except (BadInput, MemoryError):
        raise
    except Exception as error:
        if engine.places.place().near:  # no worker was lost: a mistake of the lab
            raise
        print(f"dlab: {_sentence(error)}", file=sys.stderr)
        status = EXIT_FAILED
    finally:
        runs.close()
        meter.close()
    if not latest:
        if status == EXIT_INTERRUPTED:
            print("dlab: interrupted before the first row was done; nothing was written", file=sys.stderr)
        return status
    for number in latest.keys() - final:
        data = latest[number]
        data["notes"].insert(0, f"Interrupted: the rows are those done by then ({len(data['rows'])} rows).")
        which = f" of {asked[number].name}" if several else ""
        print(f"dlab: interrupted; kept the {len(data['rows'])} rows{which} done so far", file=sys.stderr)
        if several:
            _write(data, out / asked[number].name)
    if several:
        _write_table([row for number in sorted(latest) for row in many.rows(asked[number], latest[number])], out, args.table)
        print(f"dlab: wrote {len(final)} of {len(asked)} studies and their rows to {out}", file=sys.stderr)
    elif out is not None:
        names = _write(latest[0], out, args.table)
        print(f"dlab: wrote {', '.join(names)} to {out}", file=sys.stderr)
    if args.json:
        print(dumps(latest[0], indent=1))
    return status


def _sentence(error) -> str:
    return str(error) if isinstance(error, BadInput) else f"{type(error).__name__}: {shortened(str(error), 300)}"


def _write(data, out, table=TABLES[0]) -> list[str]:
    """Write a study's result, rows and figure; returns the files' names."""
    from dlab import export
    from dlab.figures.figure import figure

    drawn = figure(data)
    files = {"result.json": dumps(data, indent=1).encode()} | _tables(data["rows"], table)
    if answers := data.get("reach"):
        files["reach.csv"] = export.rows_csv({"rows": answers})
    _put(out, files | {f"figure.{kind}": export.figure_bytes(drawn, kind) for kind in ("html", "svg")})
    return [*files, "figure.html", "figure.svg"]


def _write_table(rows, out, table) -> None:
    _put(out, _tables(rows, table))


def _tables(rows, table) -> dict[str, bytes]:
    from dlab import export

    more = {"rows.parquet": export.rows_parquet({"rows": rows})} if table == "parquet" else {}
    return {"rows.csv": export.rows_csv({"rows": rows}), **more}


def _put(out, files) -> None:
    try:
        out.mkdir(exist_ok=True)
        for name, content in files.items():
            (out / name).write_bytes(content)
    except OSError as error:
        raise BadInput(f"--out: {show(str(error.filename), 200)} cannot be written ({_reason(error)}); give another folder") from None


def _make(args) -> int:
    from dlab import answers, engine

    asked, study = answers.find(args.kind), _read(args.study)
    which, meter = _which(asked, study, args), Meter()
    engine.keep_compiled()
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


def _lesson(args) -> int:
    from dlab import engine
    from dlab.ui import lesson_file

    engine.keep_compiled()
    meter = Meter()
    try:
        size = lesson_file.write(args.scenes, args.out, meter.line, meter)
    finally:
        meter.close()
    print(f"dlab: wrote {args.out} ({size / 1e6:.2f} MB)", file=sys.stderr)
    return 0


def _workers(args) -> int:
    import socket

    from dlab import params
    from dlab.engine import places

    if args.workers is not None:
        params.integer("--workers", args.workers, 1, MOST_WORKERS)
    params.integer("--port", args.port, 0, 65535)
    try:  # now, in a sentence: the process that takes this one's place knows no better than a traceback
        family, *_, address = socket.getaddrinfo(args.host, args.port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as error:
        given = f"--host {show(args.host, 200)} --port {args.port}"
        raise BadInput(f"{given}: nothing can listen there ({_reason(error)}); give an address of this machine and a free port.") from None
    return places.serve(args.workers, args.host, args.port)


def _homework(args) -> int:
    import csv
    import os
    import secrets

    from dlab.ui import homework

    if args.step == "check":
        found = homework.check(homework.table(args.answers), args.secret)
        if not found:
            raise BadInput(f"{show(args.answers, 200)} holds no code; give a CSV with one in each row, such as halving/7/1.03/1.95/BCDFGH.")
        lines = csv.DictWriter(sys.stdout, found[0], lineterminator="\n")
        lines.writeheader()
        lines.writerows(found)
        valid = sum(row["student"] != "" for row in found)
        print(f"dlab: {valid} of {len(found)} codes are valid", file=sys.stderr)
        return 0
    secret = args.secret or secrets.token_hex(8)  # no dash at its start, which `check` would take for an option
    address = args.address or os.environ.get("DLAB_ADDRESS") or "http://localhost:8501"
    rows = homework.make(args.scene, args.students, secret, address)
    text = "student,link\n" + "".join(f"{number},{link.replace(',', '%2C')}\n" for number, link in rows)
    path = Path(args.out)
    _put(path.parent, {path.name: text.encode()})
    print(f"dlab: wrote {len(rows)} links to {args.out}; check with --secret {secret}", file=sys.stderr)
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


if __name__ == "__main__":
    sys.exit(main())
