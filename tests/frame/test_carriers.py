"""A carrier is set whole or not at all, and a setting that cannot be right stops the process at its start."""

from pathlib import Path

import pytest

from api import carriers

APNS = {"APNS_KEY_FILE": "key.p8", "APNS_KEY_ID": "ABCDE12345", "APNS_TEAM_ID": "TEAM123456", "APNS_TOPIC": "org.app"}
WEB_PUSH = {"VAPID_KEY_FILE": "key.p8", "VAPID_SUBJECT": "mailto:push@clinic.example"}
SMS = {"SMS_ACCOUNT": "AC1", "SMS_TOKEN": "secret of texts", "SMS_FROM": "+15555550100"}
SMTP = {"SMTP_URL": "smtps://user:p%40ss@mail.example", "MAIL_FROM": "appointments@clinic.example"}
ALL = {**APNS, "FCM_SERVICE_ACCOUNT_FILE": "key.p8", **WEB_PUSH, **SMS, **SMTP}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("key.p8").touch()


def read(env: dict[str, str]) -> carriers.Carriers:
    return carriers.read(env, development=False)


def test_what_is_not_set_carries_nothing() -> None:
    assert read({}) == carriers.Carriers()


def test_everything_set_is_read() -> None:
    them = read(ALL)
    assert them.apns is not None
    assert them.apns.urls == carriers.APNS_HOSTS
    assert them.fcm == carriers.Fcm(Path("key.p8"))
    assert them.sms is not None
    assert them.sms.signing_token == them.sms.token
    assert them.smtp == carriers.Smtp("mail.example", 465, True, "user", "p@ss", "appointments@clinic.example")


@pytest.mark.parametrize("missing", [*APNS, *WEB_PUSH, *SMS, *SMTP])
def test_half_a_carrier_is_refused_and_the_other_half_named(missing: str) -> None:
    with pytest.raises(carriers.Malformed, match=f"{missing} is not set"):
        read({name: value for name, value in ALL.items() if name != missing})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APNS_KEY_FILE", "nowhere.p8"),
        ("APNS_KEY_ID", "short"),
        ("APNS_URL", "https://localhost:8443"),
        ("FCM_URL", "https://localhost:8443"),
        ("FCM_SERVICE_ACCOUNT_FILE", "nowhere.json"),
        ("VAPID_SUBJECT", "push"),
        ("WEB_PUSH_HOSTS", "https://push.example"),
        ("SMS_URL", "http://texts.example"),
        ("SMS_URL", "https://user@texts.example"),
        ("SMS_FROM", "the clinic's number"),
        ("SMTP_URL", "http://mail.example"),
        ("SMTP_URL", "smtp://mail.example"),
        ("SMTP_URL", "smtp://user@mail.example"),
        ("MAIL_FROM", "no address"),
        ("SENDER_NAME", "two\nlines"),
    ],
)
def test_what_cannot_be_right_is_named_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(carriers.Malformed, match=name) as refused:
        read(ALL | {name: value})
    assert value not in str(refused.value)


def test_development_may_push_to_a_fake() -> None:
    them = carriers.read(ALL | {"APNS_URL": "https://localhost:8443/"}, development=True)
    assert them.apns is not None
    assert set(them.apns.urls.values()) == {"https://localhost:8443"}


def test_no_secret_is_shown() -> None:
    assert not any(secret in repr(read(ALL)) for secret in ("secret of texts", "p@ss", "user"))


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("fcm.googleapis.com", True),
        ("sea1.notify.windows.com", True),
        ("notify.windows.com.evil.example", False),
        ("evilnotify.windows.com", False),
        ("evil.fcm.googleapis.com", False),
    ],
)
def test_browsers_are_pushed_to_at_hosts_of_the_list_alone(host: str, served: bool) -> None:
    web_push = read(ALL).web_push
    assert web_push is not None
    assert web_push.serves(host) is served
