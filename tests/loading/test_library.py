"""Folders and files become flows and one report."""

import time
from pathlib import Path

import pytest

from engine.actions.catalog import Catalog
from engine.actions.discovery import builtin_catalog
from engine.loading.library import load, load_texts
from engine.loading.parser import version_of
from engine.loading.rendering import render

GOOD = "flow: {name}\nentry: {{commands: [{name}]}}\nsteps:\n  s: {{text: Hi, end: completed}}\n"
EMPTY = Catalog()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place in ("flows/shop", "flows/locales", "flows/tests", "flows/.hidden"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "flows/bot.yaml").write_text("bot: Shop\nroles: {staff: env:STAFF}\n")
    (tmp_path / "flows/a.yaml").write_text(GOOD.format(name="a"))
    (tmp_path / "flows/shop/b.yml").write_text(GOOD.format(name="b"))
    (tmp_path / "flows/locales/notes.txt").write_text("not: a flow\n")
    for place in ("tests/a.yaml", ".hidden/x.yaml", ".x.yaml", "notes.txt"):
        (tmp_path / "flows" / place).write_text("not: a flow\n")
    return tmp_path


def summary(loaded):
    return [(f.code, f.span.file, f.span.line) for f in loaded.report.findings]


def test_a_folder(folder):
    loaded = load(Path("flows"), EMPTY, environment={"STAFF": "1,2"})
    assert summary(loaded) == []
    assert [flow.name for flow in loaded.flows] == ["a", "b"]
    assert (loaded.bot.name, loaded.bot.roles) == ("Shop", {"staff": ("1", "2")})
    assert sorted(loaded.documents) == ["flows/a.yaml", "flows/bot.yaml", "flows/shop/b.yml"]
    assert loaded.flows[0].span.file == "flows/a.yaml"
    assert loaded.flows[0].version == version_of((folder / "flows/a.yaml").read_bytes())
    assert loaded.report.ok


def test_an_absolute_folder_gives_absolute_places(folder):
    assert load(folder / "flows", EMPTY).flows[0].span.file == str(folder / "flows/a.yaml")


def test_a_file_is_checked_in_its_folder(folder):
    call = "flow: c\nentry: {commands: [c]}\nsteps:\n  x: {call: a}\n  y: {call: nowhere}\n  z: {end: completed}\n"
    (folder / "flows/c.yaml").write_text(call)
    (folder / "flows/broken.yaml").write_text("flow: [\n")
    loaded = load([Path("flows/c.yaml")], EMPTY)
    assert [one for one in summary(loaded) if one[0] == "F0302"] == [("F0302", "flows/c.yaml", 5)]
    assert {one[1] for one in summary(loaded)} == {"flows/c.yaml"}
    assert ("F0101", "flows/broken.yaml", 2) in [(c, f, 2) for c, f, _ in summary(load(Path("flows"), EMPTY))]


def test_a_file_alone_is_shown_and_counted(folder):
    (folder / "flows/c.yaml").write_text("flow: c\nentry: {commands: [c]}\nsteps:\n  y: {call: nowhere}\n")
    loaded = load(Path("flows/c.yaml"), EMPTY)
    assert set(loaded.texts) == {"flows/c.yaml"}
    shown = render(loaded)
    assert "4 |   y: {call: nowhere}" in shown
    assert "1 file: " in shown
    assert "1 file: nothing to mend." in render(load(Path("flows/a.yaml"), EMPTY))


def test_all_findings_of_all_files_sorted(folder):
    (folder / "flows/a.yaml").write_text(GOOD.format(name="a").replace("commands", "comands"))
    (folder / "flows/b.yaml").write_text("flow: b\nflow: b\nsteps:\n  s: {txt: Hi}\n")
    (folder / "flows/z.yaml").write_text("flow: 'z\n")
    found = summary(load(Path("flows"), EMPTY))
    assert [one for one in found if one[0] < "F03"] == [
        ("F0201", "flows/a.yaml", 2), ("F0102", "flows/b.yaml", 2),
        ("F0201", "flows/b.yaml", 4), ("F0101", "flows/z.yaml", 1),
    ]  # fmt: skip
    assert found == sorted(found, key=lambda one: (one[1], one[2]))


def test_a_flow_with_a_duplicate_key_is_checked_further():
    text = (
        GOOD.format(name="a")
        .replace("text: Hi", "text: Hi, text: Ho")
        .replace("completed", "completed, photo: '{{ x }}'")
    )
    codes = [one[0] for one in summary(load_texts({"a.yaml": text}, EMPTY))]
    assert codes[0] == "F0102"
    assert len(codes) == 2


def test_what_is_said_about_a_broken_file_is_said_once():
    """The flow `b` is there, but its file has to be put right: `call: b` is no fault of its own."""
    caller = "flow: a\nentry: {commands: [a]}\nsteps:\n  x: {call: b}\n  z: {end: completed}\n"
    for broken in (
        "flow: b\nsteps:\n  s: {txt: Hi}\n",
        "flow: b\nsteps: [\n",
        "flow: b\nsteps:\n  now: {end: completed}\n",
    ):
        loaded = load_texts({"a.yaml": caller, "b.yaml": broken}, EMPTY)
        assert {one[1] for one in summary(loaded)} == {"b.yaml"}
        assert [flow.name for flow in loaded.flows] == ["a"]


def test_with_a_broken_bot_file_nothing_is_said_about_settings():
    flow = GOOD.format(name="a").replace("Hi", "'{{ settings.shop }}'")
    assert {c for c, *_ in summary(load_texts({"a.yaml": flow, "bot.yaml": "bot: x\n"}, EMPTY))} == {"F0605"}
    for bot in ("bot: [\n", "bot: x\nsettngs: {shop: x}\n", "bot: x\nsettings: {shop: x}\nregion: XQ\n"):
        assert {f for _, f, _ in summary(load_texts({"a.yaml": flow, "bot.yaml": bot}, EMPTY))} == {"bot.yaml"}


def test_texts_are_there_for_showing_even_of_files_that_are_not_yaml():
    loaded = load_texts({"a.yaml": "flow: [\n"}, EMPTY)
    assert loaded.texts == {"a.yaml": "flow: [\n"}
    assert loaded.documents == {}


def test_a_bot_file_without_its_name_is_still_the_bots():
    assert summary(load_texts({"bot.yaml": "languages: [en]\n"}, EMPTY)) == [("F0202", "bot.yaml", 1)]


def test_a_hundred_flows_are_checked_quickly():
    """In the processor's time, and in proportion: other processes are none of its business."""
    text = (Path(__file__).parents[2] / "flows" / "print_order.yaml").read_text(encoding="utf-8")
    catalog = builtin_catalog()
    load_texts({"a.yaml": text}, catalog)

    def seconds(flows):
        texts = {f"{n}.yaml": text.replace("flow: print_order", f"flow: f{n}") for n in range(flows)}
        began = time.process_time()
        loaded = load_texts(texts, catalog)
        took = time.process_time() - began
        assert len(loaded.flows) == flows
        return took

    few, many = seconds(10), seconds(100)
    assert many < 25 * few, f"{many:.1f} s of a hundred, {few:.2f} s of ten"
    assert many < 15, f"{many:.1f} s"
