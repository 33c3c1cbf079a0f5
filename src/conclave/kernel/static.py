"""The built web client: files of one folder, read once; no path of a request reaches the disk.

`index.html` answers every page of the single-page application; unknown pages get it with status
404 (the client shows "nothing here"). Files named by their content's hash are cached for ever, all
others are revalidated by ETag. A `.br` or `.gz` beside a file is sent where it is accepted. When
the folder is rebuilt under a running server, the next page load picks it up.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from conclave.kernel.errors import NotFound
from conclave.kernel.slices import guarded

_IMMUTABLE = "public, max-age=31536000, immutable"
_REVALIDATE = "no-cache"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
# What the single-page application shows something for. A wrong meeting id has the same status as a
# right one: the page asks the API.
_PAGES = re.compile(
    r"/|/(?:account|link|log|members|operator|register|report|set-up|sign-in|verify|welcome)/?"
    r"|/(?:log|m)/[^/]+/?"
)
_NOT_PAGES = ("/api/", "/rtc", "/twirp", "/assets/")
_TYPES = {
    ".js": "text/javascript",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}
_NOT_BUILT = (
    "conclave is running, but its web client is not built. "
    "Run `make setup` in the checkout, or install the released package.\n"
)


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    media_type: str
    etag: str
    cache: str
    encoded: dict[str, bytes] = field(default_factory=dict)


class StaticSite:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, _File] = {}
        self._seen_at = -1

    @property
    def is_built(self) -> bool:
        self._refresh()
        return "/index.html" in self._files

    @guarded("anyone")
    async def serve(self, request: Request) -> Response:
        path = request.url.path
        self._refresh()
        found = self._files.get(path)
        if found is not None:
            return _answer(request, found, 200)
        if path.startswith(_NOT_PAGES):
            raise NotFound
        is_page = _PAGES.fullmatch(path) is not None
        index = self._files.get("/index.html")
        if index is None:
            # 200 for the front page: media clients probe it to see whether the server is there.
            return Response(_NOT_BUILT, 200 if is_page else 404, media_type="text/plain")
        return _answer(request, index, 200 if is_page else 404)

    def _refresh(self) -> None:
        try:
            changed_at = (self._folder / "index.html").stat().st_mtime_ns
        except OSError:
            self._files, self._seen_at = {}, -1
            return
        if changed_at != self._seen_at:
            self._files = dict(_read(self._folder))
            self._seen_at = changed_at


def _read(folder: Path) -> list[tuple[str, _File]]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    encodings = {suffix for _, suffix in _ENCODINGS}
    files = []
    for path in paths:
        if path.suffix in encodings or path.name.startswith("."):
            continue
        content = path.read_bytes()
        name = "/" + path.relative_to(folder).as_posix()
        media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
        files.append(
            (
                name,
                _File(
                    content,
                    media_type or "application/octet-stream",
                    f'"{hashlib.sha256(content).hexdigest()[:32]}"',
                    _IMMUTABLE if name.startswith("/assets/") else _REVALIDATE,
                    {
                        encoding: sibling.read_bytes()
                        for encoding, suffix in _ENCODINGS
                        if (sibling := path.with_name(path.name + suffix)).is_file()
                    },
                ),
            )
        )
    return files


def _answer(request: Request, file: _File, status: int) -> Response:
    headers = {"cache-control": file.cache, "etag": file.etag, "vary": "accept-encoding"}
    if status == 200 and file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = file.content
    accepted = _accepted(request.headers.get("accept-encoding", ""))
    for encoding, _ in _ENCODINGS:
        if encoding in accepted and encoding in file.encoded:
            content = file.encoded[encoding]
            headers["content-encoding"] = encoding
            break
    return Response(content, status, headers=headers, media_type=file.media_type)


def _accepted(header: str) -> set[str]:
    """Codings with a weight above zero (RFC 9110, 12.5.3)."""
    accepted = set()
    for part in header.split(","):
        coding, _, weight = part.partition(";")
        if re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight) is None:
            accepted.add(coding.strip().lower())
    return accepted
