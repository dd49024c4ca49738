"""What a test that takes the server away forgives, and what no test does."""

import pytest

from tests.browser.conftest import Complaints

BROKEN = (
    "Failed to load resource: net::ERR_CONNECTION_REFUSED",
    "Failed to load resource: net::ERR_SOCKET_NOT_CONNECTED",
    "Failed to load resource: net::ERR_EMPTY_RESPONSE",
    "WebSocket connection to 'ws://127.0.0.1:8080/ws' failed: Error in connection establishment",
)
FAULTS = (
    "Failed to load resource: net::ERR_BLOCKED_BY_CSP",
    "Failed to load resource: the server responded with a status of 404 (Not Found)",
    "Refused to execute inline script because it violates the following Content Security Policy directive",
    "Uncaught TypeError: undefined is not a function",
)


@pytest.mark.parametrize("away", [False, True])
def test_broken_connections_are_forgiven_only_once_the_server_was_away(away: bool) -> None:
    found = Complaints()
    found.server_away = away
    for text in (*BROKEN, *FAULTS):
        found.console("error", text)
        found.console("warning", text)
    assert found == [*([] if away else BROKEN), *FAULTS]
