"""How far a large file has come, as a message that counts up and goes when the file is there. An indicator: nothing
waits for it, and what fails with it is not tried again."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from engine.channels.telegram.faults import name_of

LEAST: Final = 5 * 1024 * 1024
"""Bytes: of smaller files nothing is shown."""
EVERY: Final = 3.0
"""Real seconds before the first showing and between two: a chat takes about one message a second."""
QUIET: Final = 60.0
"""Real seconds without a new byte after which the message goes; it comes again with the next byte."""
SOON: Final = 3.0
"""Real seconds to learn the number of a message that is on its way when the showing ends."""
_MARKS: Final = 10

log = logging.getLogger("stepgram.telegram")


@dataclass(slots=True)
class _File:
    done: int
    total: int
    task: asyncio.Task[None] | None = field(default=None)


class Progress:
    """Call it with a chat, the bytes that have come and those that will; one file per chat at a time."""

    def __init__(self, client: Callable[[], Any], *, least: int = LEAST, every: float = EVERY) -> None:
        self._client = client
        self._least = least
        self._every = every
        self._files: dict[str, _File] = {}

    def __call__(self, chat: str, done: int, total: int) -> None:
        """One more piece has come. Never waits and never raises."""
        if total < self._least:
            return
        file = self._files.get(chat)
        if file is None or file.total != total:
            if done >= total:
                return
            file = self._files[chat] = _File(done, total)
            file.task = asyncio.create_task(self._show(chat, file), name=f"progress {chat}")
        file.done = done

    async def stop(self) -> None:
        """Take all messages away."""
        tasks = [file.task for file in self._files.values() if file.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _show(self, chat: str, file: _File) -> None:
        customer, message, shown, still = int(chat.partition(":")[2]), None, "", 0.0
        putting: asyncio.Task[int] | None = None
        try:
            while file.done < file.total and still < QUIET:
                before = file.done
                await asyncio.sleep(self._every)
                still = still + self._every if file.done == before else 0.0
                text = _text(file)
                if file.done < file.total and text != shown:
                    putting = asyncio.create_task(self._put(customer, message, text))
                    message, shown = await asyncio.shield(putting), text
        except asyncio.CancelledError:
            if message is None and putting is not None:  # the customer may see it already: it must go, too
                message = await _came(putting)
            raise
        except Exception as error:
            log.debug("%s is not shown how far a file is: %s", chat, name_of(error))
        finally:
            if self._files.get(chat) is file:
                del self._files[chat]
            if message is not None:
                await self._away(customer, message)

    async def _put(self, customer: int, message: int | None, text: str) -> int:
        client = self._client()
        if message is None:
            sent = await client.send_message(chat_id=customer, text=text, disable_notification=True)
            return int(sent.id)
        await client.edit_message_text(chat_id=customer, message_id=message, text=text)
        return message

    async def _away(self, customer: int, message: int) -> None:
        try:
            await self._client().delete_messages(chat_id=customer, message_ids=[message])
        except Exception as error:
            log.debug("a message about a file's progress stays: %s", name_of(error))


async def _came(putting: asyncio.Task[int]) -> int | None:
    """The message's number, if it comes soon."""
    done, _ = await asyncio.wait((putting,), timeout=SOON)
    if not done:
        putting.cancel()
        return None
    return None if putting.cancelled() or putting.exception() is not None else putting.result()


def _text(file: _File) -> str:
    part = file.done / file.total
    full = round(part * _MARKS)
    return f"⬇️ {'▓' * full}{'░' * (_MARKS - full)} {part:.0%}"
