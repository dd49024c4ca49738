"""The shop's REST backend: GET /services, POST /files, POST /orders. Nothing else speaks HTTP to it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from engine.actions import Context, File, Refusal, Retryable, Unreachable, money, retryable
from plugins.print3d.records import Created, Rejected, Service, Uploaded

if TYPE_CHECKING:
    from aiohttp import ClientResponse

_REJECTED = frozenset({400, 409, 413, 415, 422})
"""What the backend answers when the content is the trouble and not the call."""
_LONGEST = 1024 * 1024


def base_url(context: Context) -> str | None:
    """Where the backend is, without a slash at the end; None when there is none."""
    return context.environment.get("API_BASE_URL", "").strip().rstrip("/") or None


async def services(context: Context, base: str) -> list[Service]:
    """What the shop offers now."""
    async with _call(context, "GET", f"{base}/services") as response:
        answer = await _answer(response)
    if isinstance(answer, Rejected) or not isinstance(answer, list):
        raise Refusal("the shop's list of services cannot be read")
    return [_service(item) for item in answer]


def _service(item: Any) -> Service:
    try:
        price = money(Decimal(str(item.get("price", 0))), str(item.get("currency", "EUR")))
        return Service(
            id=int(item["id"]), name=str(item["name"]), description=str(item.get("description") or ""), price=price
        )
    except (AttributeError, KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise Refusal("the shop's list of services cannot be read") from error


async def upload(context: Context, base: str, file: File) -> Uploaded:
    """Send one file in pieces. Raises Refusal when the shop does not want it."""
    import aiohttp

    form = aiohttp.FormData(quote_fields=False)  # names as UTF-8, as browsers send them
    content_type = file.mime if "/" in file.mime and file.mime.isascii() else "application/octet-stream"
    name = "".join(letter for letter in file.name if letter.isprintable()) or "file"
    form.add_field("file", context.files.open(file.ref), filename=name, content_type=content_type)
    async with _call(context, "POST", f"{base}/files", data=form) as response:
        answer = await _answer(response)
    if isinstance(answer, Rejected):
        raise Refusal(answer.reason)
    if not isinstance(answer, dict) or "id" not in answer:
        raise Refusal("the shop's answer to the file cannot be read")
    return Uploaded(id=str(answer["id"]), name=file.name, size=file.size)


async def create_order(context: Context, base: str, document: Mapping[str, Any]) -> Created | Rejected:
    """Send the order; the idempotency key makes a repeated one the same order."""
    async with _call(context, "POST", f"{base}/orders", json=document) as response:
        answer = await _answer(response)
    if isinstance(answer, Rejected):
        return answer
    if not isinstance(answer, dict) or "id" not in answer:
        raise Refusal("the shop's answer to the order cannot be read")
    number = answer.get("order_number") or answer.get("number") or answer["id"]
    return Created(number=str(number), id=str(answer["id"]))


@asynccontextmanager
async def _call(context: Context, method: str, url: str, **options: Any) -> "AsyncIterator[ClientResponse]":
    import aiohttp

    headers = {"Idempotency-Key": context.idempotency_key}
    try:
        async with context.http().request(method, url, headers=headers, allow_redirects=False, **options) as response:
            yield response
    except TimeoutError:
        raise
    except aiohttp.InvalidURL as error:
        raise Refusal("API_BASE_URL is not a valid address") from error
    except aiohttp.ClientError as error:
        raise Unreachable(f"the shop does not answer ({type(error).__name__})") from error


async def _answer(response: "ClientResponse") -> Any:
    """The JSON of a good answer, or Rejected. Raises Retryable and Refusal."""
    status = response.status
    if retryable(status):
        raise Retryable(f"the shop answered with status {status}")
    content = await response.content.read(_LONGEST)
    while len(content) < _LONGEST and (piece := await response.content.read(_LONGEST - len(content))):
        content += piece
    try:
        answer = json.loads(content, parse_float=Decimal)
    except (ValueError, RecursionError):
        answer = None
    if status in _REJECTED:
        return Rejected(reason=_reason(answer) or f"status {status}")
    if not 200 <= status < 300:
        raise Refusal(f"the shop answered with status {status}")
    return answer


def _reason(answer: Any) -> str:
    if isinstance(answer, dict):
        for name in ("reason", "detail", "message", "error"):
            if isinstance(answer.get(name), str):
                return str(answer[name])[:200]
    return ""
