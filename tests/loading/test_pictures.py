"""`photo: {file: …}`: found beside the flow, told when it is not, never followed out of the folder of flows."""

from pathlib import Path

import pytest

from engine.actions.discovery import builtin_catalog
from engine.core.model import Flow
from engine.diagnostics import Diagnostic
from engine.loading.library import load, load_texts
from engine.loading.pictures import Wrong, locate

CATALOG = builtin_catalog()
FLOW = """flow: {name}
title: Picture
entry: {{commands: [{name}]}}
steps:
  done:
    text: That was us.
    photo: {{file: {picture}}}
    end: completed
"""


def flow(picture: str, name: str = "example") -> str:
    return FLOW.format(name=name, picture=picture)


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    folder = tmp_path / "flows"
    (folder / "shop" / "pictures").mkdir(parents=True)
    (folder / "pictures").mkdir()
    for picture in ("pictures/tea.png", "logo.png", "shop/front.JPG", "shop/pictures/door.webp"):
        (folder / picture).write_bytes(b"picture")
    (folder / "secret.txt").write_text("secret")
    (tmp_path / "outside.png").write_bytes(b"picture")
    return folder


def findings(folder: Path, asked: Path | None = None) -> tuple[Diagnostic, ...]:
    return load(asked or folder, CATALOG, environment={}).report.findings


def photo(found: Flow) -> tuple[str, str]:
    picture = found.steps[0].photo
    assert picture is not None
    return picture.folder, picture.content.source  # what a channel gets is the one after the other


@pytest.mark.parametrize(
    ("file", "picture"),
    [
        ("a.yaml", "logo.png"),
        ("a.yaml", "shop/front.JPG"),
        ("a.yaml", "./logo.png"),
        ("shop/a.yaml", "front.JPG"),
        ("shop/a.yaml", "pictures/door.webp"),
        ("a.yaml", "tea.png"),
        ("a.yaml", "pictures/tea.png"),
        ("shop/a.yaml", "door.webp"),
        ("a.yaml", "'{{ customer.name }}.png'"),
        ("a.yaml", "'{{ customer.name }}'"),
    ],
)
def test_a_picture_that_is_there_or_cannot_be_known(flows: Path, file: str, picture: str) -> None:
    (flows / file).write_text(flow(picture))
    assert findings(flows) == ()
    assert findings(flows, flows / file) == ()


@pytest.mark.parametrize(
    ("file", "picture", "meant"),
    [
        ("a.yaml", "lgoo.png", "logo.png"),
        ("a.yaml", "front.JPG", "shop/front.JPG"),
        ("a.yaml", "logo.jpg", "logo.png"),
        ("a.yaml", "tae.png", "tea.png"),
        ("shop/a.yaml", "pictures/dor.webp", "pictures/door.webp"),
        ("shop/a.yaml", "logo.png", None),
        ("a.yaml", "secret.txt", None),
        ("a.yaml", "logo", None),
        ("a.yaml", "xxxxxxxx.gif", None),
    ],
)
def test_a_picture_that_is_not_there_is_told_on_its_place(
    flows: Path, file: str, picture: str, meant: str | None
) -> None:
    (flows / file).write_text(flow(picture))
    (found,) = findings(flows)
    assert (found.code, found.span.line, found.span.column, found.suggestion) == ("F0314", 7, 19, meant)
    assert picture in found.message
    assert found.expected
    assert [one.code for one in findings(flows, flows / file)] == ["F0314"]


def test_the_path_goes_on_from_the_folder_of_flows(flows: Path) -> None:
    (flows / "a.yaml").write_text(flow("logo.png", "a"))
    (flows / "shop" / "b.yaml").write_text(flow("front.JPG", "b"))
    loaded = load(flows, CATALOG, environment={})
    assert loaded.report.ok
    assert {one.name: photo(one) for one in loaded.flows} == {"a": ("", "logo.png"), "b": ("shop/", "front.JPG")}


@pytest.mark.parametrize("picture", ["/etc/logo.png", "../outside.png", "shop/../logo.png", "'C:/logo.png'", "'..'"])
def test_a_path_out_of_the_folder_is_refused_by_its_form(flows: Path, picture: str) -> None:
    (flows / "a.yaml").write_text(flow(picture))
    assert [one.severity for one in findings(flows)] == ["error"]


def test_links(flows: Path) -> None:
    (flows / "out.png").symlink_to(flows.parent / "outside.png")
    (flows / "folder").symlink_to(flows.parent)
    (flows / "text.png").symlink_to(flows / "secret.txt")
    (flows / "circle.png").symlink_to(flows / "circle.png")
    (flows / "inside.png").symlink_to(flows / "logo.png")
    said = {}
    for picture in ("out.png", "folder/outside.png", "text.png", "circle.png", "inside.png"):
        (flows / "a.yaml").write_text(flow(picture))
        said[picture] = [one.message for one in findings(flows)]
    assert said == {
        "out.png": ["The picture “out.png” lies outside of the folder of flows."],
        "folder/outside.png": ["The picture “folder/outside.png” lies outside of the folder of flows."],
        "text.png": ["“text.png” is a link to something that is not a picture."],
        "circle.png": ["There is no picture “circle.png” beside this flow."],
        "inside.png": [],
    }


def test_texts_without_a_disk_are_judged_by_the_name_alone() -> None:
    def codes(picture: str) -> list[str]:
        return [one.code for one in load_texts({"a.yaml": flow(picture)}, CATALOG).report.findings]

    assert codes("nowhere.png") == []
    assert codes("nowhere.pdf") == ["F0314"]


def test_a_folder_named_as_a_picture_is_none(flows: Path) -> None:
    (flows / "album.png").mkdir()
    assert locate(flows, "album.png") is Wrong.MISSING
