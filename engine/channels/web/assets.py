"""The page's own files, from the package: a fixed list of names, read once. Nothing else of the disk is served."""

import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Final

from aiohttp import web

from engine.core.records import record

_TYPES: Final = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
}
PAGE: Final = "index.html"


@record
class Asset:
    """One file of the page."""

    body: bytes
    content_type: str
    etag: str


def packaged() -> Mapping[str, Asset]:
    """All files of the folder `assets` beside this module whose kind a page needs, by name."""
    found = {}
    for item in resources.files(__package__).joinpath("assets").iterdir():
        ending = "." + item.name.rpartition(".")[2]
        if item.is_file() and ending in _TYPES:
            body = item.read_bytes()
            etag = hashlib.sha256(body).hexdigest()[:32]
            found[item.name] = Asset(body=body, content_type=_TYPES[ending], etag=etag)
    return found


class Assets:
    """Serves them. The browser asks each time whether a file is still the same, so that an upgrade shows at once."""

    def __init__(self, files: Mapping[str, Asset]) -> None:
        self._files = files

    async def page(self, request: web.Request) -> web.Response:
        """`GET /`."""
        return self._serve(request, PAGE)

    async def asset(self, request: web.Request) -> web.Response:
        """`GET /assets/NAME`."""
        return self._serve(request, request.match_info["name"])

    def _serve(self, request: web.Request, name: str) -> web.Response:
        asset = self._files.get(name)
        if asset is None:
            return web.Response(status=404, text="There is no such file.")
        headers = {"Cache-Control": "no-cache", "ETag": f'"{asset.etag}"'}
        if any(tag.value == asset.etag for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        charset = "utf-8" if asset.content_type.startswith("text/") else None
        return web.Response(body=asset.body, content_type=asset.content_type, charset=charset, headers=headers)
