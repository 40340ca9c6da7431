"""A missing or wrong setting stops the process with one sentence, and secrets have no default."""

import pytest

from api import config

GOOD = {
    "DATABASE_URL": "postgresql+psycopg://app@/x",
    "TOKEN_KEYS_FILE": "keys.json",
    "CURSOR_SECRET": "c" * 32,
    "PUBLIC_URL": "https://api.example.org/",
    "MESSAGES_FILE": "messages",
}


@pytest.mark.parametrize("missing", GOOD)
def test_what_is_required_is_named_when_missing(missing: str) -> None:
    with pytest.raises(config.Misconfigured, match=missing):
        config.read({name: value for name, value in GOOD.items() if name != missing})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CURSOR_SECRET", "short"),
        ("DATABASE_POOL", "0"),
        ("THREADS", "many"),
        ("CONTINUUM_ENV", "test"),
        ("BODY_LIMIT", "-1"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str) -> None:
    with pytest.raises(config.Misconfigured, match=name):
        config.read(GOOD | {name: value})


def test_production_is_what_it_is_unless_said_otherwise() -> None:
    settings = config.read(GOOD)
    assert not settings.development
    assert settings.clinic_phone is None
    assert settings.public_url == "https://api.example.org"
    assert "c" * 32 not in repr(settings)


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        config.read(GOOD).public_url = "x"  # type: ignore[misc]
