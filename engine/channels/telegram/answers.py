"""Answers to presses: each press has one, a notice or nothing at all. When to answer is decided elsewhere."""

from collections import OrderedDict
from typing import Final

from engine.channels.telegram.asking import Asker, Refused
from engine.channels.telegram.line import Line

_KNOWN: Final = 4096
"""Answered presses that are remembered. Telegram itself forgets a press within a minute."""


class Answers:
    """Every press is answered once; one that Telegram has forgotten counts as answered."""

    def __init__(self, line: Line, asker: Asker) -> None:
        self._line = line
        self._asker = asker
        self._answered: OrderedDict[int, str] = OrderedDict()

    def knows(self, query: int) -> bool:
        """Whether this press was answered, or is being answered."""
        return query in self._answered

    async def answer(self, chat: str, query: int, *, text: str = "", alert: bool = False, row: str = "") -> bool:
        """Close the press with this notice. False: it was answered before, the customer has not seen the text.

        `row`: what the notice comes from; the same again is no second notice. Raises as `Asker.ask`, but for Refused;
        then it is not answered.
        """
        if query in self._answered:
            return self._answered[query] == row
        self._answered[query] = row
        if len(self._answered) > _KNOWN:
            self._answered.popitem(last=False)
        try:
            await self._asker.ask(chat, lambda: self._request(query, text, alert))
        except Refused:
            return True  # QUERY_ID_INVALID: too late, or answered before the last start
        except BaseException:
            self._answered.pop(query, None)
            raise
        return True

    async def _request(self, query: int, text: str, alert: bool) -> None:
        await self._line.client.answer_callback_query(
            callback_query_id=str(query), text=text or None, show_alert=alert or None
        )
