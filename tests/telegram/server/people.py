"""help.*, auth.*, users.*, contacts.*: configuration, log-in, who somebody is, blocking."""

from typing import TYPE_CHECKING

from pyrogram import raw
from pyrogram.raw.core import TLObject

from tests.telegram.server.accounts import DATA_CENTRE, Account, Key
from tests.telegram.server.methods import Methods
from tests.telegram.server.refusal import Refusal
from tests.telegram.server.updates import seconds

if TYPE_CHECKING:
    from tests.telegram.server.telegram import TelegramServer

T = raw.types
CODE_HASH = "hash-of-the-code"
NUMBERS = [
    "chat_size_max",
    "megagroup_size_max",
    "forwarded_count_max",
    "online_update_period_ms",
    "offline_blur_timeout_ms",
    "offline_idle_timeout_ms",
    "online_cloud_timeout_ms",
    "notify_cloud_delay_ms",
    "notify_default_delay_ms",
    "push_chat_period_ms",
    "push_chat_limit",
    "edit_time_limit",
    "revoke_time_limit",
    "revoke_pm_time_limit",
    "rating_e_decay",
    "stickers_recent_limit",
    "channels_read_media_period",
    "call_receive_timeout_ms",
    "call_ring_timeout_ms",
    "call_connect_timeout_ms",
    "call_packet_timeout_ms",
]
"""Values of the configuration that no client of ours reads."""


class People:
    def __init__(self, server: "TelegramServer") -> None:
        self._server = server

    def methods(self) -> Methods:
        return {
            "help.GetConfig": self.get_config,
            "auth.LogOut": self.log_out,
            "users.GetUsers": self.get_users,
            "users.GetFullUser": self.get_full_user,
            "contacts.ResolveUsername": self.resolve_username,
            "contacts.Block": self.block,
            "contacts.Unblock": self.unblock,
            "account.UpdateStatus": lambda _me, _query: True,
        }

    def get_config(self, _me: Account | None, _query: TLObject) -> TLObject:
        home = T.DcOption(id=DATA_CENTRE, ip_address="127.0.0.1", port=self._server.port)
        return T.Config(
            date=seconds(),
            expires=seconds() + 3600,
            test_mode=False,
            this_dc=DATA_CENTRE,
            dc_options=[home],
            dc_txt_domain_name="",
            me_url_prefix="https://t.me/",
            caption_length_max=1024,
            message_length_max=4096,
            webfile_dc_id=DATA_CENTRE,
            **dict.fromkeys(NUMBERS, 1),
        )

    # log-in: these are called before the key belongs to an account

    def log_in(self, key: Key, method: str, query: TLObject) -> TLObject:
        match method:
            case "auth.ImportBotAuthorization":
                account = self._with_token(query.bot_auth_token)
            case "auth.SendCode":
                self._with_phone(query.phone_number)
                kind = T.auth.SentCodeTypeApp(length=len(self._server.code))
                return T.auth.SentCode(type=kind, phone_code_hash=CODE_HASH)
            case "auth.SignIn":
                account = self._with_phone(query.phone_number)
                if query.phone_code != self._server.code or query.phone_code_hash != CODE_HASH:
                    raise Refusal(400, "PHONE_CODE_INVALID")
            case _:
                raise Refusal(401, "AUTH_KEY_UNREGISTERED")
        key.account = account
        return T.auth.Authorization(user=account.seen_by(account))

    def _with_token(self, token: str) -> Account:
        for account in self._server.accounts.values():
            if account.bot and account.token == token:
                return account
        raise Refusal(400, "ACCESS_TOKEN_INVALID")

    def _with_phone(self, phone: str) -> Account:
        for account in self._server.accounts.values():
            if account.phone and account.phone == phone.lstrip("+"):
                return account
        raise Refusal(400, "PHONE_NUMBER_INVALID")

    def log_out(self, _me: Account, _query: TLObject) -> TLObject:
        if self._server.caller is not None:
            self._server.caller.key.account = None
        return T.auth.LoggedOut()

    # people

    def get_users(self, me: Account, query: TLObject) -> list[TLObject]:
        return [self._server.account_of(me, peer).seen_by(me) for peer in query.id]

    def get_full_user(self, me: Account, query: TLObject) -> TLObject:
        account = self._server.account_of(me, query.id)
        full = T.UserFull(
            id=account.id,
            settings=T.PeerSettings(),
            notify_settings=T.PeerNotifySettings(),
            common_chats_count=0,
            blocked=account.id in me.blocked or None,
        )
        return T.users.UserFull(full_user=full, chats=[], users=[account.seen_by(me)])

    def resolve_username(self, me: Account, query: TLObject) -> TLObject:
        wanted = query.username.lower()
        for account in self._server.accounts.values():
            if account.username and account.username.lower() == wanted:
                return T.contacts.ResolvedPeer(
                    peer=T.PeerUser(user_id=account.id), chats=[], users=[account.seen_by(me)]
                )
        raise Refusal(400, "USERNAME_NOT_OCCUPIED")

    def block(self, me: Account, query: TLObject) -> bool:
        me.blocked.add(self._server.account_of(me, query.id).id)
        return True

    def unblock(self, me: Account, query: TLObject) -> bool:
        me.blocked.discard(self._server.account_of(me, query.id).id)
        return True
