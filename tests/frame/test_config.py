"""A missing or wrong setting stops the process with one sentence, and secrets have no default."""

import json
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from api import config, keys

SECRET = "0123456789abcdef" * 2
FINGERPRINT = ":".join(["A0"] * 32)
GOOD = {
    "DATABASE_URL": "postgresql+psycopg://app@/x",
    "TOKEN_KEYS_FILE": "keys.json",
    "CURSOR_SECRET": SECRET,
    "ACCESS_SECRET": SECRET[::-1],
    "ENCRYPTION_KEYS": f"k1:{SECRET * 2}",
    "PUBLIC_URL": "https://api.example.org/",
    "MESSAGES_FILE": "messages",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings name files in the folder where a test stands."""
    monkeypatch.chdir(tmp_path)
    write(keys.new_key())
    return tmp_path


def write(*jwks: object) -> None:
    Path("keys.json").write_text(json.dumps({"keys": jwks}))


@pytest.mark.parametrize("missing", GOOD)
def test_what_is_required_is_named_when_missing(missing: str) -> None:
    with pytest.raises(config.Misconfigured, match=missing):
        config.read({name: value for name, value in GOOD.items() if name != missing})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CURSOR_SECRET", "short"),
        ("ACCESS_SECRET", "c" * 64),
        ("ACCESS_SECRET", SECRET),
        ("ENCRYPTION_KEYS", "k1"),
        ("ENCRYPTION_KEYS", f"K1:{SECRET * 2}"),
        ("ENCRYPTION_KEYS", f"k1:{SECRET * 2},"),
        ("ENCRYPTION_KEYS", f"k1:{SECRET}"),
        ("ENCRYPTION_KEYS", f"k1:{'ab' * 32}"),
        ("ENCRYPTION_KEYS", f"k1:{SECRET * 2},k1:{SECRET[::-1] * 2}"),
        ("ENCRYPTION_KEYS", f"k2:{SECRET * 2},k1:{SECRET * 2}"),
        ("CAPACITY_STALE_HOURS", "0"),
        ("CAPACITY_STALE_HOURS", "9999"),
        ("OUTWARD_CA_FILE", "ca.pem"),
        ("PASSKEY_RP_ID", "org"),
        ("TOKEN_KEYS_FILE", "nowhere.json"),
        ("PUBLIC_URL", "http://api.example.org"),
        ("WEBSITE_ORIGINS", "http://www.example.org"),
        ("WEBSITE_ORIGINS", "https://www.example.org/"),
        ("WEBSITE_ORIGINS", "https://WWW.example.org"),
        ("WEBSITE_ORIGINS", "https://www.example.org,*"),
        ("REFERRAL_KEPT_DAYS", "0"),
        ("CONSENT_WAITS_DAYS", "0"),
        ("PUBLIC_URL", "https://api.example.org/v1"),
        ("BEARER_APP_SESSIONS", "true"),
        ("OUTWARD_LOOPBACK", "yes"),
        ("WEBHOOK_LOOPBACK", "http://127.0.0.1:8099/webhooks"),
        ("PASSKEY_RP_ID", "elsewhere.example"),
        ("PASSKEY_RP_ID", "evilexample.org"),
        ("ANDROID_APPS", "org.example.app"),
        ("ANDROID_APPS", f"nodots={FINGERPRINT}"),
        ("ANDROID_APPS", "org.example.app=AA:BB"),
        ("APPLE_APPS", "org.example.app"),
        ("APP_CLIENTS", "an app"),
        ("DATABASE_POOL", "0"),
        ("THREADS", "many"),
        ("CONTINUUM_ENV", "test"),
        ("BODY_LIMIT", "-1"),
        ("WEEKLY_FLOOR_HOURS", "2.5"),
        ("WEEKLY_FLOOR_HOURS", "2.5=0"),
        ("WEEKLY_FLOOR_HOURS", "2.5=169"),
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
    assert SECRET not in repr(settings)
    assert settings.bearer_apps == frozenset()


def test_levels_may_be_given_floors_of_hours_a_week() -> None:
    assert config.read(GOOD | {"WEEKLY_FLOOR_HOURS": "2.5=20, 2.1=9"}).weekly_floor_hours == {"2.5": 20, "2.1": 9}


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        config.read(GOOD).public_url = "x"  # type: ignore[misc]


def test_passkeys_are_taken_from_this_host_and_from_the_named_apps() -> None:
    apps = config.read(GOOD | {"ANDROID_APPS": f"org.example.app={FINGERPRINT}", "PASSKEY_RP_ID": "example.org"}).apps
    assert apps.origins == (
        "https://example.org",
        "android:apk-key-hash:oKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKA",
    )
    assert apps.asset_links()[0]["target"]["package_name"] == "org.example.app"


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP384R1())], ids=["rsa-1024", "p-384"]
)
def test_a_weak_key_is_named(key: object) -> None:
    kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    write({**kind.to_jwk(key, as_dict=True), "kid": "weak"})  # type: ignore[attr-defined]
    with pytest.raises(config.Misconfigured, match="TOKEN_KEYS_FILE"):
        config.read(GOOD)


def test_only_development_knows_the_demo_app() -> None:
    assert config.read(GOOD | {"CONTINUUM_ENV": "development"}).bearer_apps == {"demo"}
    assert config.read(GOOD | {"BEARER_APP_SESSIONS": "yes"}).bearer_apps == {"continuum-app"}


TEXTS = {"SMS_ACCOUNT": "AC1", "SMS_TOKEN": SECRET, "SMS_FROM": "+12025550100"}


def test_with_a_carrier_no_file_is_needed_as_long_as_it_reaches_who_is_on_duty() -> None:
    carried = {name: value for name, value in GOOD.items() if name != "MESSAGES_FILE"} | TEXTS
    assert config.read(carried | {"DUTY_CONTACTS": "+12025550111,+12025550112"}).messages_file is None
    for contacts in ("duty@example.org", "pager-7", "+12025550111,pager-7"):
        with pytest.raises(config.Misconfigured, match="DUTY_CONTACTS"):
            config.read(carried | {"DUTY_CONTACTS": contacts})
    assert config.read(GOOD | TEXTS | {"DUTY_CONTACTS": "pager-7"}).duty_contacts == ("pager-7",)


@pytest.mark.parametrize(
    "word",
    [
        "http://localhost:8099/webhooks", "https://127.0.0.1:8099/webhooks", "http://127.0.0.1/webhooks",
        "http://127.0.0.1:99999/", "http://10.0.0.1:8099/", "http://127.0.0.1:8099/?a=1", "*",
    ],
)  # fmt: skip
def test_only_exact_addresses_of_this_machine_are_listed_for_webhooks(word: str) -> None:
    env = {**GOOD, "CONTINUUM_ENV": "development"}
    fine = "http://127.0.0.1:8099/webhooks"
    assert config.read({**env, "WEBHOOK_LOOPBACK": fine}).webhook_loopback == (fine,)
    with pytest.raises(config.Misconfigured, match="WEBHOOK_LOOPBACK"):
        config.read({**env, "WEBHOOK_LOOPBACK": f"{fine},{word}"})
