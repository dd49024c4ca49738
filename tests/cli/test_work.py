"""`stepgram work`: more hands behind a `stepgram run`, on PostgreSQL."""

from pathlib import Path

from tests.cli.running import Running, get
from tests.cli.terminal import project


def test_hands_come_and_go_behind_a_run_and_a_second_run_is_refused(tmp_path: Path, database_url: str) -> None:
    project(tmp_path)
    with Running(tmp_path, "--port", "0", DATABASE_URL=database_url) as bot:
        said = bot.address()
        assert "PostgreSQL" in bot.until("data in")
        with Running(tmp_path, command="work", DATABASE_URL=database_url) as hands:
            assert "One more pair of hands" in hands.until("hands for")
            with Running(tmp_path, "--port", "0", DATABASE_URL=database_url) as second:
                code, words = second.ended()
            assert code == 2
            assert "stepgram work" in words
            assert "Traceback" not in words
            assert hands.end() == 0
        assert get(said + "health") == (200, "ok")
        assert bot.end() == 0
        assert not any("Traceback" in line for line in bot.lines)
    with Running(tmp_path, "--port", "0", DATABASE_URL=database_url) as again:  # nothing of the first is in its way
        again.address()


def test_hands_with_other_flows_are_refused(tmp_path: Path, database_url: str) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    for folder in (mine, other):
        folder.mkdir()
        project(folder)
    flow = other / "flows" / "hello.yaml"
    flow.write_text(flow.read_text(encoding="utf-8").replace("text: ", "text: Well, ", 1), encoding="utf-8")
    with Running(mine, "--port", "0", DATABASE_URL=database_url) as bot:
        bot.address()
        with Running(other, command="work", DATABASE_URL=database_url) as hands:
            code, said = hands.ended()
        assert code == 2
        assert "STEPGRAM_FLOWS" in said
        assert "Traceback" not in said
        (mine / "flows" / "hello.yaml").write_bytes(flow.read_bytes())  # it is followed while it runs
        bot.until("flows are live")
        with Running(other, command="work", DATABASE_URL=database_url) as hands:
            hands.until("hands for")


def test_without_a_database_server_it_says_what_to_set(tmp_path: Path) -> None:
    project(tmp_path)
    with Running(tmp_path, command="work") as hands:
        code, said = hands.ended()
    assert code == 2
    assert "DATABASE_URL" in said
    assert "Traceback" not in said
