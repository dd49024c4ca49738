"""Findings as the page gets them: with their lines, without what must not be shown."""

import msgspec

from engine.actions.catalog import Catalog
from engine.channels.web.workshop_findings import findings_message
from engine.loading.library import load_texts
from tests.channels.web.site import START

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw9"
FLOW = f"""
flow: hello
title: Hello
entry: {{commands: [hello]}}
steps:
  name: {{ask: text, text: "Say {TOKEN}", wrong: "{TOKEN}"}}
  end: {{text: Bye., end: completed}}
"""


def test_a_secret_is_found_and_not_shown() -> None:
    loaded = load_texts({"flows/hello.yaml": FLOW}, Catalog(actions={}, sources={}, validators={}))
    message = findings_message(loaded, live=False, at=START)
    codes = {finding["code"] for finding in message["findings"]}  # type: ignore[attr-defined]
    assert {"F0801"} < codes, "one that is no secret stands in the same line"
    text = msgspec.json.encode(message).decode()
    assert TOKEN not in text
    assert "name: {ask: text, text:" in text
