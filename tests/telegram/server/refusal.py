"""The error a method answers with, as Telegram names it."""


class Refusal(Exception):
    """Sent to the client as rpc_error: `code` 400, 401, 403, 420, 500 and so on, `text` like PEER_ID_INVALID."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
