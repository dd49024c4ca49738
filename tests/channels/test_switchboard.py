"""What goes out finds its channel by the beginning of the chat's id."""

import pytest

from engine.channels.switchboard import Switchboard
from engine.core.effects import Say
from engine.runtime.outbox import compose
from engine.runtime.ports import Elsewhere
from tests.runtime.harness import START, Screen


def message(chat):
    return compose(Say(text="Hello"), chat=chat, sequence=1, conversation=None, at=START)


async def test_each_chat_has_its_channel_and_a_strange_one_waits():
    page, telegram = Screen(), Screen()
    board = Switchboard({"web": page, "telegram": telegram})
    await board.deliver(message("web:anna"))
    await board.deliver(message("telegram:7"))
    assert page.texts("web:anna") == ["Hello"] == telegram.texts("telegram:7")
    for chat in ("terminal:anna", "webber:anna", "anna", ""):
        with pytest.raises(Elsewhere):
            await board.deliver(message(chat))
    assert (page.attempts, telegram.attempts) == (1, 1)
