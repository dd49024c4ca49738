"""Settings come from the environment and `.env`; a bad value is one sentence that names its variable."""

from pathlib import Path

import pytest

from engine.settings import VARIABLES, Settings, SettingsError, read_environment, settings_from


def test_without_anything_set_the_defaults_hold():
    settings = settings_from({})
    assert settings == Settings()
    assert (settings.flows, settings.database) == (Path("flows"), Path("data/stepgram.sqlite3"))
    assert not settings.telegram


def test_every_field_has_a_variable_and_is_read_from_it():
    values = {
        "STEPGRAM_FLOWS": "my/flows",
        "STEPGRAM_DATABASE": "x.db",
        "DATABASE_URL": "postgresql://shop:sekret@db.example.org:6432/orders",
        "STEPGRAM_FILES": "kept",
        "STEPGRAM_PLUGINS": "mine",
        "STEPGRAM_LOG_LEVEL": "debug",
        "STEPGRAM_SYNCHRONOUS": "normal",
        "API_BASE_URL": "http://127.0.0.1:8000",
        "STEPGRAM_WEB_HOST": "0.0.0.0",
        "STEPGRAM_WEB_PORT": "9000",
        "STEPGRAM_WEB_TOKEN": "a-long-enough-token",
        "STEPGRAM_WEB_MAX_FILE": "1048576",
        "STEPGRAM_WEB_OPEN": "0",
        "STEPGRAM_WEBHOOK_SECRET": f"{'a' * 32} , {'b' * 40}",
        "STEPGRAM_WEBHOOK_HOST": "::1",
        "STEPGRAM_WEBHOOK_PORT": "0",
        "STEPGRAM_SESSION": "secret",
        "STEPGRAM_PAGE": "1",
        "TELEGRAM_API_ID": "12",
        "TELEGRAM_API_HASH": "0123456789abcdef0123456789abcdef",
        "TELEGRAM_BOT_TOKEN": "123456789:AAE-abcdefghijklmnopqrstuvwxyz",
    }
    assert set(values) == set(VARIABLES.values())
    assert set(VARIABLES) == set(Settings.__struct_fields__)
    settings = settings_from(values)
    assert settings.flows == Path("my/flows")
    assert settings.database_url == values["DATABASE_URL"]
    assert settings.place == "the PostgreSQL database orders on db.example.org"
    assert (settings.log_level, settings.synchronous) == ("DEBUG", "NORMAL")
    assert settings.telegram_api_id == 12
    assert (settings.web_host, settings.web_port, settings.web_max_file) == ("0.0.0.0", 9000, 1048576)
    assert (settings.web_token, settings.web_open) == ("a-long-enough-token", False)
    assert settings.telegram
    assert settings.telegram_credentials() == (12, values["TELEGRAM_API_HASH"], values["TELEGRAM_BOT_TOKEN"])
    assert (settings.session, settings.page) == (Path("secret"), True)
    assert settings.webhook_secrets == ("a" * 32, "b" * 40)
    assert (settings.webhook_host, settings.webhook_port, Settings().webhook_secrets) == ("::1", 0, ())


def test_what_telegram_lacks_is_named():
    with pytest.raises(SettingsError, match="TELEGRAM_API_HASH and TELEGRAM_BOT_TOKEN must be set"):
        settings_from({"TELEGRAM_API_ID": "12"}).telegram_credentials()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STEPGRAM_LOG_LEVEL", "loud"),
        ("STEPGRAM_SYNCHRONOUS", "OFF"),
        ("TELEGRAM_API_ID", "abc"),
        ("TELEGRAM_API_HASH", "short"),
        ("TELEGRAM_BOT_TOKEN", "no-token"),
        ("STEPGRAM_PAGE", "perhaps"),
        ("API_BASE_URL", "localhost"),
        ("STEPGRAM_WEB_PORT", "70000"),
        ("STEPGRAM_WEB_TOKEN", "short"),
        ("STEPGRAM_WEB_TOKEN", "sixteen characters/ä?"),
        ("STEPGRAM_WEB_MAX_FILE", "-5"),
        ("STEPGRAM_WEB_OPEN", "perhaps"),
        ("STEPGRAM_WEBHOOK_SECRET", "short"),
        ("STEPGRAM_WEBHOOK_SECRET", "0123456789abcdef0123456789abcdef,"),
        ("STEPGRAM_WEBHOOK_PORT", "-1"),
    ],
)
def test_a_bad_value_names_its_variable_and_never_shows_the_value(name, value):
    with pytest.raises(SettingsError) as caught:
        settings_from({name: value})
    assert name in str(caught.value)
    assert value not in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_dotenv_stands_behind_the_environment(tmp_path):
    (tmp_path / ".env").write_text(
        "# ours\nexport STEPGRAM_FLOWS=a\nSTEPGRAM_FILES='b c'  \nAPI_BASE_URL=http://x # backend\n\n", encoding="utf-8"
    )
    read = read_environment({"STEPGRAM_FLOWS": "outside"}, tmp_path)
    assert read == {"STEPGRAM_FLOWS": "outside", "STEPGRAM_FILES": "b c", "API_BASE_URL": "http://x"}
    assert read_environment({"A": "1"}, tmp_path / "nowhere") == {"A": "1"}


@pytest.mark.parametrize("content", [b"just words", b"\xff\xfe=1"])
def test_a_broken_dotenv_is_told_in_one_sentence(tmp_path, content):
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(SettingsError, match=r"\.env"):
        read_environment({}, tmp_path)
