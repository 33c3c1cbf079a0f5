"""`conclave hashes`: the SHA-256 of every file that this installation sends to browsers.

In the form of `sha256sum`, first the list of the build and the page, to be compared with what a
server sends. Reads the installed files and asks nobody.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

STATIC = Path(__file__).parent / "static"
LIST = "hashes.json"
PAGE = "index.html"
_COMPRESSED = {".br", ".gz"}


def run(folder: Path = STATIC) -> int:
    if not (folder / PAGE).is_file():
        print(
            "conclave: the web client is not built; run `make setup` in the checkout",
            file=sys.stderr,
        )
        return 1
    found = computed(folder)
    for name, digest in found.items():
        print(f"{digest}  {name}")
    faults = differences(found, folder)
    for fault in faults:
        print(f"conclave: {fault}", file=sys.stderr)
    return 1 if faults else 0


def computed(folder: Path) -> dict[str, str]:
    """Name and digest of each file that is delivered, the list and the page first."""
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in _COMPRESSED and not path.name.startswith(".")
    )
    names.sort(key=lambda name: (name != LIST, name != PAGE))
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def differences(found: dict[str, str], folder: Path) -> list[str]:
    """What is not as the build's own list says, a line each."""
    try:
        entries = json.loads((folder / LIST).read_bytes())["files"]
        listed = {
            PAGE if entry["path"] == "/" else str(entry["path"]).removeprefix("/"): entry["sha256"]
            for entry in entries
        }
    except (OSError, ValueError, KeyError, TypeError):
        return [f"{LIST} is missing or damaged"]
    names = sorted((found.keys() | listed.keys()) - {LIST})
    return [
        f"{name} is not in the list"
        if name not in listed
        else f"{name} is missing"
        if name not in found
        else f"{name} is not as it was built"
        for name in names
        if listed.get(name) != found.get(name)
    ]
