"""The Colab buttons of docs/notebooks: `python docs/colab.py` writes them, --check says whether it would.

One setting says where the lab can be had from: `repository` under [project.urls] of pyproject.toml, its address on GitHub. Without it there
are no buttons, since they would lead nowhere, and the cell that installs the lab asks for the address.
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


def repository() -> str:
    """The address, "" where there is none. ValueError for one that is not on GitHub, which Colab cannot open."""
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"].get("urls", {})
    address = {name.lower(): url for name, url in urls.items()}.get("repository", "").removesuffix(".git").rstrip("/")
    if address and not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", address):
        raise ValueError(f"repository = {address!r} is not https://github.com/OWNER/NAME; Colab opens notebooks from there alone.")
    return address


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
    texts = {path: path.read_text("utf-8") for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
    changed = {path: new for path, text in texts.items() if (new := written(path.stem, text, repository())) != text}
    if "--check" in sys.argv[1:]:
        print(*[f"stale: {path.relative_to(ROOT)}" for path in changed] or ["the notebooks are up to date"], sep="\n")
        return bool(changed)
    for path, text in changed.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
