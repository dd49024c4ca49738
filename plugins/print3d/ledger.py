"""Orders and files in the embedded database: the shop itself where there is no backend, else the customer's copy.

Every write is repeatable: the same idempotency key finds what the first attempt wrote.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.actions import Context, File, Page, Retryable, Rows, Transaction
from plugins.print3d.records import Created, Order, Uploaded, summary

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no letter that looks like a digit."""
_TRIES = 20


def number(now: datetime, key: str, salt: int = 0) -> str:
    """`P-261120-7F3K` for the order with this idempotency key: always the same for the same arguments."""
    digest = hashlib.sha256(f"{key}#{salt}".encode()).digest()
    return f"P-{now:%y%m%d}-" + "".join(_ALPHABET[byte % 32] for byte in digest[:4])


async def store_order(context: Context, document: Mapping[str, Any]) -> Created:
    """Take the order, once. Raises Retryable when no free number is found."""
    async with context.database() as transaction:
        known = await _order(transaction, context.idempotency_key)
        if known is not None:
            return known
        for salt in range(_TRIES):
            free = number(context.now, context.idempotency_key, salt)
            if await _insert(transaction, context, free, document):
                break
        created = await _order(transaction, context.idempotency_key)
    if created is None:
        raise Retryable("no free order number was found")
    return created


async def copy_order(context: Context, order: Created, document: Mapping[str, Any]) -> None:
    """Remember an order that the backend has taken, so that the customer finds it under their orders."""
    async with context.database() as transaction:
        await _insert(transaction, context, order.number, document)


async def _insert(transaction: Transaction, context: Context, free: str, document: Mapping[str, Any]) -> bool:
    changed = await transaction.execute(
        "INSERT INTO print_orders (number, idempotency_key, chat, document, status, created_at) "
        "VALUES (?, ?, ?, ?, 'new', ?) ON CONFLICT DO NOTHING",
        (free, context.idempotency_key, context.chat, json.dumps(document, ensure_ascii=False), _millis(context.now)),
    )
    return changed == 1


async def _order(transaction: Transaction, key: str) -> Created | None:
    rows = await transaction.query("SELECT id, number FROM print_orders WHERE idempotency_key = ?", (key,))
    return Created(number=str(rows[0]["number"]), id=str(rows[0]["id"])) if rows else None


async def store_file(context: Context, file: File) -> Uploaded:
    """Note a received file, once; it is the shop's from now on."""
    await context.files.keep(file.ref)
    async with context.database() as transaction:
        await transaction.execute(
            "INSERT INTO print_files (ref, idempotency_key, name, size, created_at) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (file.ref, context.idempotency_key, file.name, file.size, _millis(context.now)),
        )
        rows = await transaction.query(
            "SELECT id FROM print_files WHERE idempotency_key = ?", (context.idempotency_key,)
        )
    return Uploaded(id=str(rows[0]["id"]), name=file.name, size=file.size)


async def orders(context: Context, page: Page) -> Rows[Order]:
    """This chat's orders, newest first, those whose number contains `page.search`."""
    wanted = f"%{page.search.replace('%', '').replace('_', '')}%"
    async with context.database() as transaction:
        total = await transaction.query(
            "SELECT count(*) AS n FROM print_orders WHERE chat = ? AND number LIKE ?", (context.chat, wanted)
        )
        rows = await transaction.query(
            "SELECT number, status, document, created_at FROM print_orders WHERE chat = ? AND number LIKE ? "
            "ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?",
            (context.chat, wanted, page.limit, page.offset),
        )
    return Rows(items=[_row(row) for row in rows], total=int(str(total[0]["n"])))


def _row(row: Mapping[str, object]) -> Order:
    content = json.loads(str(row["document"]))
    return Order(
        number=str(row["number"]),
        status=str(row["status"]),
        created_at=datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(str(row["created_at"]))),
        files=len(content["specifications"]["files_info"]),
        summary=summary(content),
    )


def _millis(moment: datetime) -> int:
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
