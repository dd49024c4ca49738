"""`stepgram run`: serves until it is ended, says where, says what is wrong with which setting."""

import signal
import socket
from pathlib import Path

import pytest

from tests.cli.running import Running, get
from tests.cli.terminal import HELLO, project


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_ends_in_good_order(tmp_path: Path, how: signal.Signals) -> None:
    project(tmp_path)
    with Running(tmp_path, "--port", "0") as bot:
        address = bot.address()
        assert address.startswith("http://127.0.0.1:")
        status, page = get(address)
        assert (status, "<title>" in page) == (200, True)
        assert get(address + "health") == (200, "ok")
        assert bot.end(how) == 0
    with Running(tmp_path, "--port", "0") as bot:  # nothing of the first one is in its way
        bot.address()


def test_a_taken_port_is_told_and_the_usual_one_gives_way(tmp_path: Path) -> None:
    project(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with Running(tmp_path, "--port", str(port)) as bot:
            code, said = bot.ended()
    assert code == 2
    assert f"127.0.0.1:{port}" in said
    assert "STEPGRAM_WEB_PORT" in said
    assert "Traceback" not in said
    with Running(tmp_path) as first, Running(tmp_path, "--database", "other.sqlite3") as second:
        assert first.address() != second.address()


def test_two_on_one_database_are_kept_apart(tmp_path: Path) -> None:
    project(tmp_path)
    with Running(tmp_path, "--port", "0") as first:
        first.address()
        with Running(tmp_path, "--port", "0") as second:
            code, said = second.ended()
        assert (code, "Traceback" in said) == (2, False)
        assert "stepgram.sqlite3" in said


def test_what_is_wrong_with_a_saved_file_is_told_and_the_old_flow_stays(tmp_path: Path) -> None:
    project(tmp_path)
    flow = tmp_path / "flows" / "hello.yaml"
    with Running(tmp_path, "--port", "0") as bot:
        bot.address()
        bot.until("Ctrl-C")
        flow.write_text(HELLO.replace("ask: text", "aks: text"), encoding="utf-8")
        assert "hello.yaml:6" in bot.until("hello.yaml:")
        bot.until("stay live")
        flow.write_text(HELLO, encoding="utf-8")
        bot.until("are live")
        assert bot.end() == 0


def test_faulty_flows_start_nothing(tmp_path: Path) -> None:
    project(tmp_path, hello=HELLO.replace("ask: text", "aks: text"))
    with Running(tmp_path, "--port", "0") as bot:
        code, said = bot.ended()
    assert code == 2
    assert "hello.yaml:6:5" in said
    assert not (tmp_path / "data").exists()


def test_with_a_token_the_address_has_it_and_nobody_gets_in_without(tmp_path: Path) -> None:
    project(tmp_path)
    with Running(tmp_path, "--port", "0", STEPGRAM_WEB_TOKEN="a-token-of-our-own") as bot:
        address = bot.address()
        assert address.endswith("/?token=a-token-of-our-own")
        assert get(address.partition("?")[0])[0] == 401
        assert get(address.replace("our-own", "somebody-s"))[0] == 401
        assert get(address.partition("?")[0] + "health")[0] == 200
