"""`picture_path` gives channels a file inside the folder of flows, or nothing, whatever it is asked."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.actions.discovery import builtin_catalog
from engine.core.machine import compile_flows
from engine.loading.library import load
from engine.runtime.pictures import picture_path
from tests.core.walker import Walker

CATALOG = builtin_catalog()


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    folder = tmp_path / "flows"
    (folder / "shop").mkdir(parents=True)
    for name in ("logo.png", "shop/front.webp", "notes.txt"):
        (folder / name).write_bytes(b"x")
    (tmp_path / "outside.png").write_bytes(b"x")
    (folder / "out.png").symlink_to(tmp_path / "outside.png")
    (folder / "in.png").symlink_to("shop/front.webp")
    return folder


def test_a_picture_inside(flows: Path) -> None:
    assert picture_path(flows, "logo.png") == (flows / "logo.png").resolve()
    assert picture_path(flows, "shop/front.webp") == (flows / "shop/front.webp").resolve()
    assert picture_path(flows, "in.png") == (flows / "shop/front.webp").resolve()


@pytest.mark.parametrize(
    "asked",
    [
        "", ".", "..", "/", "~", "shop", "none.png", "notes.txt", "out.png", "../outside.png", "shop/../../outside.png",
        "shop/../logo.png", "/etc/passwd", "/etc/logo.png", "~/logo.png", "C:/logo.png", "..\\outside.png",
        "logo.png\x00", "\x00.png", "\ud800.png", "a" * 5000 + ".png", "a/" * 5000 + ".png", "logo.png/x.png",
        "logo.png/",
    ],
)  # fmt: skip
def test_everything_else_is_nothing(flows: Path, asked: str) -> None:
    assert picture_path(flows, asked) is None


def test_an_absolute_path_into_the_folder_is_nothing_too(flows: Path) -> None:
    assert picture_path(flows, str(flows / "logo.png")) is None
    assert picture_path(flows.parent / "nowhere", "logo.png") is None


PARTS = st.sampled_from(["..", ".", "/", "shop", "out.png", "logo.png", "front.webp", "outside.png", "~", "\\", "\x00"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(parts=st.lists(PARTS | st.text(max_size=5), max_size=6), glue=st.sampled_from(["/", ""]))
def test_nothing_leads_out(flows: Path, parts: list[str], glue: str) -> None:
    found = picture_path(flows, glue.join(parts))
    assert found is None or found.is_relative_to(flows.resolve())


def test_what_a_message_carries_is_found_in_the_folder_of_flows(flows: Path) -> None:
    (flows / "shop" / "a.yaml").write_text(
        "flow: a\ntitle: A\nentry: {commands: [a]}\nsteps:\n"
        "  which: {ask: text, text: Which?}\n"
        '  done: {text: Here., photo: {file: "{{ which }}.webp"}, end: completed}\n'
    )
    loaded = load(flows, CATALOG, environment={})
    assert loaded.report.findings == ()
    shown = {}
    for said in ("front", "../logo", "../../outside"):
        walk = Walker((flows / "shop" / "a.yaml").read_text(), CATALOG)
        walk.programs = compile_flows(loaded.flows, loaded.bot, CATALOG)
        photo = walk.start().say(said).shown.photo
        assert photo is not None
        assert photo == ("path", f"shop/{said}.webp")
        shown[said] = picture_path(flows, photo[1])
    assert shown == {"front": (flows / "shop/front.webp").resolve(), "../logo": None, "../../outside": None}
