"""A small Telegram server on loopback: the real MTProto 2.0 for the real client library, in the test's own event loop.

It is built from the installed library's own `pyrogram.raw` and `pyrogram.crypto`, so it speaks that library's layer by
itself: pyrogram 2.0.106 and kurigram run on it unchanged. Key exchange, encryption, sessions, log-in as a bot (token)
and as a customer (phone code), messages in private chats, files, presses, menus, differences, and faults on demand are
real; its state is plain Python that a test may look at, and it survives `stop()` and `start()`.

What it is NOT:
- It is written by reading the client and the official texts, not Telegram itself: where both are silent its answer is a
  guess. A test passing here says the bot follows the documented protocol, not that Telegram behaves so.
- One data centre; no CDN, no groups, channels, secret chats, payments, inline mode, polls' votes, scheduled messages.
- The transport is bare: no salts, no acknowledgement and resending of pushed updates, no gzip, no containers from the
  server, no new_session_created, no bad_msg_notification. A pushed update whose line is down is lost to that session
  and is only in the difference.
- The flood limits are the faults a test asks for (`faults.flood`, `faults.pace`); Telegram's real ones are not
  published.
- It checks limits the documentation names (lengths, keyboards, parts, references), not all of Telegram's.
- No qts: `updateBotStopped` and the like do not come.
"""

from tests.telegram.server.accounts import Account
from tests.telegram.server.faults import Call, Fault, Faults
from tests.telegram.server.files import Blob
from tests.telegram.server.redirect import child_environment, redirected
from tests.telegram.server.refusal import Refusal
from tests.telegram.server.telegram import TelegramServer

API_ID = 12345
API_HASH = "0123456789abcdef0123456789abcdef"

__all__ = [
    "API_HASH",
    "API_ID",
    "Account",
    "Blob",
    "Call",
    "Fault",
    "Faults",
    "Refusal",
    "TelegramServer",
    "child_environment",
    "redirected",
]
