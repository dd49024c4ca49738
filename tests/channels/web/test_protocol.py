"""Frames that nobody should send: each gets an answer or nothing, and the server goes on."""

import asyncio
import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.channels.web.protocol import Bad, Hello, PressSent, TextSent, Unknown, is_phone, read
from engine.channels.web.socket import BURST, Pace
from tests.channels.web.site import Site, memory, new_id

KEY = "01234567-89ab-cdef-0123-456789abcdef"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ["type", "id", "text", "data", "phone", "latitude", "longitude", "person", "known", "roles", "before", "name"]
)
TYPES = st.sampled_from(["hello", "text", "press", "contact", "location", "person", "older", "clock", "rig", "watch"])
OBJECTS = st.builds(
    lambda kind, fields, key: {**fields, "type": kind, "id": key},
    TYPES,
    st.dictionaries(NAMES, JSON | st.just(KEY), max_size=6),
    st.just(KEY) | JSON,
)

BROKEN: list[str] = [
    "",
    "null",
    "[]",
    "7",
    '"text"',
    "{",
    '{"type":7}',
    '{"type":"text"',
    '{"type":"text","id":"KEY","text":NaN}'.replace("KEY", KEY),
    '{"type":"location","id":"KEY","latitude":Infinity,"longitude":0}'.replace("KEY", KEY),
    '{"type":"location","id":"KEY","latitude":1e999,"longitude":0}'.replace("KEY", KEY),
    '{"type":"location","id":"KEY","latitude":91,"longitude":0}'.replace("KEY", KEY),
    '{"type":"text","id":"KEY","text":"\\ud800"}'.replace("KEY", KEY),
    '{"type":"text","id":"KEY","text":"\\udc00x"}'.replace("KEY", KEY),
    '{"type":"text","id":"KEY","text":"   "}'.replace("KEY", KEY),
    '{"type":"text","id":"KEY","text":7}'.replace("KEY", KEY),
    '{"type":"text","id":"KEY"}'.replace("KEY", KEY),
    '{"type":"text","id":"../../etc","text":"x"}',
    '{"type":"text","id":"KEY","text":"x"}'.replace("KEY", KEY.upper()),
    '{"type":"text","id":"KEY\\n","text":"x"}'.replace("KEY", KEY),
    '{"type":"press","id":"KEY","data":"…"}'.replace("KEY", KEY).replace("…", "x" * 300),
    '{"type":"contact","id":"KEY","phone":"<script>"}'.replace("KEY", KEY),
    '{"type":"older","before":-1}',
    '{"type":"older","before":1e30}',
    '{"type":"older","before":99999999999999999999999}',
    '{"type":"nobody knows"}',
    '{"type":"clock","turn":1}',
    '{"type":"person","roles":[["admin"]]}',
    "[" * 60_000,
    '{"type":"text","id":"KEY","text":"…"}'.replace("KEY", KEY).replace("…", "x" * 4097),
    '{"type":"text","id":"KEY","text":"…"}'.replace("KEY", KEY).replace("…", "x" * 500_000),
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | JSON.map(json.dumps) | OBJECTS.map(json.dumps))
def test_reading_never_raises(frame: str) -> None:
    message = read(frame)
    if isinstance(message, Bad):
        assert message.text.endswith(".")
        assert message.id in (None, KEY)


def test_what_is_right_is_read() -> None:
    assert read('{"type":"hello"}') == Hello()
    assert read('{"type":"hello","person":"new","known":5,"more":1}') == Hello(person="new", known=5)
    assert read('{"type":"text","id":"KEY","text":"\\ud83d\\ude00"}'.replace("KEY", KEY)) == TextSent(id=KEY, text="😀")
    longest = json.dumps({"type": "text", "id": KEY, "text": "😀" * 4096})
    assert isinstance(read(longest), TextSent)
    assert isinstance(read('{"type":"press","id":"KEY","data":""}'.replace("KEY", KEY)), PressSent)
    assert read('{"type":"rig","action":[1]}') == Unknown(content={"type": "rig", "action": [1]})
    assert [is_phone(text) for text in ("+49 30 901820", "030/90-18 (20)", "12", "+", "1" * 33, "١٢٣٤")] == [
        True,
        True,
    ] + [False] * 4


async def test_broken_frames_are_answered_and_the_tab_goes_on(site: Site) -> None:
    page = await site.page()
    for frame in BROKEN:
        before = len(page.messages)
        await page.socket.send_str(frame)
        async with asyncio.timeout(40):
            while not [one for one in page.messages[before:] if one["type"] in ("error", "refused")]:
                await asyncio.sleep(0.005)
    await page.socket.send_bytes(b'{"type":"text"}')
    await page.says("/order")
    await page.sees("Name?")
    texts = [entry for entry in await site.store.journal.entries(page.chat) if entry.kind == "text"]
    assert len(texts) == 1
    refused = [message for message in page.messages if message["type"] == "refused"]
    assert {message["id"] for message in refused} == {KEY}


async def test_a_frame_beyond_all_measure_ends_its_own_socket_only(site: Site) -> None:
    page, other = await site.page(), await site.page()
    with contextlib.suppress(ConnectionError):
        await page.socket.send_str("x" * 10_000_000)
    async with asyncio.timeout(40):
        while page.closed is None:
            await asyncio.sleep(0.01)
    assert page.closed in (1006, 1009)
    await other.says("/order")
    await other.sees("Name?")


async def test_nothing_before_hello(site: Site) -> None:
    page = await site.silent()
    for message in (
        {"type": "text", "id": KEY, "text": "x"},
        {"type": "older", "before": 5},
        {"type": "clock", "turn": 1},
    ):
        before = len(page.messages)
        await page.send(**message)
        assert "hello" in (await page.until("error", after=before))["text"]
    assert await site.store.journal.people() == ()
    assert await site.store.journal.unhandled() == ()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=st.lists(OBJECTS.map(json.dumps), min_size=1, max_size=20))
def test_any_objects_leave_the_server_alive(tmp_path: Path, frames: list[str]) -> None:
    async def run() -> None:
        async with Site(tmp_path, store=memory) as site:
            page = await site.page()
            for frame in frames:
                await page.socket.send_str(frame)
            await page.hello("new")
            await page.says("/order")
            await page.sees("Name?")

    asyncio.run(run())


def test_a_flood_is_slowed_and_not_lost() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    pauses = []
    for _ in range(120):
        pauses.append(pause := pace.pause())
        now += pause
    assert max(pauses[:BURST]) == 0
    assert 2.9 <= now <= 3.1
    now += 100
    assert [pace.pause() for _ in range(BURST)] == [0.0] * BURST


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "\x00\x1f", "{{ 7*7 }}", "'; DROP TABLE people; --", "\u202eabc"]
)
async def test_texts_come_back_as_they_were(site: Site, text: str) -> None:
    page = await site.page()
    await page.says("/order")
    await page.sees("Name?")
    key = new_id()
    await page.says(text, key)
    again = await site.page(page.id)
    assert text in [entry.get("text") for entry in again.entries.values()]


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"text","id":"ID","text":"half a pair \\ud83d"}',
        '{"type":"press","id":"ID","data":"\\udc00"}',
        '{"type":"location","id":"ID","latitude":NaN,"longitude":1}',
        '{"type":["text"],"id":"ID","text":"\\ud83d"}',
    ],
)
def test_who_sends_what_is_almost_json_hears_which_input_it_was(frame: str) -> None:
    """Else the page would send it again after every reconnect, for ever."""
    key = new_id()
    answer = read(frame.replace("ID", key))
    assert isinstance(answer, Bad)
    assert answer.id == key
