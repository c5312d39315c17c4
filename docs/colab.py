"""The Colab buttons of docs/notebooks: `python docs/colab.py https://github.com/OWNER/NAME` writes those of a repository.

The address is kept as `repository` under [project.urls] of pyproject.toml. Without one there are no buttons, since they would lead nowhere,
and the cell that installs the lab asks for the address: `python docs/colab.py none` brings that back. Without an argument the notebooks get
the address that is kept; --check says whether they have it.
"""

import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "docs" / "notebooks"
BRANCH = "main"
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"


PROJECT = ROOT / "pyproject.toml"


def repository() -> str:
    """The address that is kept, "" where there is none."""
    urls = tomllib.loads(PROJECT.read_text("utf-8"))["project"].get("urls", {})
    return read({name.lower(): url for name, url in urls.items()}.get("repository", ""))


def read(address: str) -> str:
    """An address without what may be left out of it. ValueError for one that is not on GitHub, which Colab cannot open."""
    address = address.rstrip("/").removesuffix(".git")
    if address and not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", address):
        raise ValueError(f"{address!r} is not https://github.com/OWNER/NAME; Colab opens notebooks from there alone.")
    return address


def keeping(project: str, address: str) -> str:
    """The text of pyproject.toml with an address, or without one."""
    project = re.sub(r'^repository = ".*"\n', "", project, flags=re.M | re.I)
    if not address:
        return re.sub(r"^\[project\.urls\]\n\n", "", project, flags=re.M)
    line = f'repository = "{address}"\n'
    if "[project.urls]\n" in project:
        return project.replace("[project.urls]\n", f"[project.urls]\n{line}")
    return project.replace("[project.scripts]\n", f"[project.urls]\n{line}\n[project.scripts]\n")


def button(name: str, address: str) -> str:
    """The button of a notebook, as Markdown; "" without an address."""
    place = address.removeprefix("https://github.com/")
    link = f"https://colab.research.google.com/github/{place}/blob/{BRANCH}/docs/notebooks/{name}.ipynb"
    return f"[![Open in Colab]({BADGE})]({link})" if address else ""


def written(name: str, text: str, address: str) -> str:
    """A notebook's file with its button above the title and the address in the cell that installs the lab."""
    book = json.loads(text)
    first, setup = book["cells"][:2]
    lines = [line for line in first["source"] if BADGE not in line]
    while lines and not lines[0].strip():
        lines.pop(0)
    mark = button(name, address)
    first["source"] = [*([f"{mark}\n", "\n"] if mark else []), *lines]
    setup["source"] = [re.sub(r'^ADDRESS = "[^"]*"', f'ADDRESS = "{address}"', line) for line in setup["source"]]
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    if (given := sys.argv[1:]) and given != ["--check"]:
        try:
            PROJECT.write_text(keeping(PROJECT.read_text("utf-8"), read("" if given == ["none"] else given[0])), "utf-8")
        except ValueError as error:
            print(f"colab: {error}", file=sys.stderr)
            return 2
    texts = {path: path.read_text("utf-8") for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
    changed = {path: new for path, text in texts.items() if (new := written(path.stem, text, repository())) != text}
    if given == ["--check"]:
        print(*[f"stale: {path.relative_to(ROOT)}" for path in changed] or ["the notebooks are up to date"], sep="\n")
        return bool(changed)
    for path, text in changed.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
