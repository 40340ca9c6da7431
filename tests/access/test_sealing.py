"""One secret, a key for each purpose; what is sealed opens in its own place only."""

import hmac
from collections.abc import Iterator
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.access import sealing

SECRET = b"s" * 32
ROW, ANOTHER = UUID(int=1), UUID(int=2)
PLACE = "totp_secrets.sealed"


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sealing, "_secret", None)
    sealing.use(SECRET)
    yield
    sealing.key_for.cache_clear()


def sealed(plain: bytes = b"JBSWY3DP") -> bytes:
    return sealing.seal(plain, place=PLACE, row=ROW)


def test_what_is_sealed_opens_in_its_place() -> None:
    assert sealing.unseal(sealed(), place=PLACE, row=ROW) == b"JBSWY3DP"


def test_nothing_of_it_shows_and_twice_is_not_the_same() -> None:
    assert b"JBSWY3DP" not in sealed()
    assert sealed() != sealed()


@pytest.mark.parametrize(("place", "row"), [(PLACE, ANOTHER), ("passwords.hash", ROW)])
def test_moved_elsewhere_it_does_not_open(place: str, row: UUID) -> None:
    with pytest.raises(ValueError, match=r"^This was not sealed here"):
        sealing.unseal(sealed(), place=place, row=row)


def test_no_byte_of_it_may_change() -> None:
    whole = sealed()
    for at in range(len(whole)):
        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        with pytest.raises(ValueError, match=r"^This was not sealed here"):
            sealing.unseal(changed, place=PLACE, row=ROW)


def test_no_part_of_it_opens() -> None:
    whole = sealed()
    for length in range(len(whole)):
        with pytest.raises(ValueError, match=r"^This was not sealed here"):
            sealing.unseal(whole[:length], place=PLACE, row=ROW)


def test_under_another_secret_nothing_opens_and_nothing_is_found() -> None:
    whole, index, peppered = sealed(), sealing.index("sam"), sealing.peppered("password")
    sealing.use(b"t" * 32)
    assert sealing.index("sam") != index and sealing.peppered("password") != peppered
    with pytest.raises(ValueError, match=r"^This was not sealed here"):
        sealing.unseal(whole, place=PLACE, row=ROW)


def keyed(purpose: bytes, text: bytes) -> bytes:
    return hmac.digest(hmac.digest(SECRET, purpose, "sha256"), text, "sha256")


def test_what_the_database_holds_is_found_by_every_later_release() -> None:
    assert sealing.index("Sam") == keyed(b"sign-in name index", b"sam")
    assert sealing.peppered("Señora") == keyed(b"password pepper", "Señora".encode())
    cipher, nonce = AESGCM(hmac.digest(SECRET, b"sealing", "sha256")), b"n" * 12
    text = cipher.encrypt(nonce, b"JBSWY3DP", b"\x01" + PLACE.encode() + b"\0" + ROW.bytes)
    assert sealing.unseal(b"\x01" + nonce + text, place=PLACE, row=ROW) == b"JBSWY3DP"


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert len({sealing.key_for("one"), sealing.key_for("two"), SECRET}) == 3
    assert sealing.key_for("one") == sealing.key_for("one") and len(sealing.key_for("one")) == 32
    assert sealing.index("sam") != sealing.peppered("sam")


@pytest.mark.parametrize("typed", ["Sam.Rivers", " sam.rivers ", "SAM.RIVERS", "ｓam.rivers"])
def test_a_name_is_found_however_a_phone_types_it(typed: str) -> None:
    assert sealing.index(typed) == sealing.index("sam.rivers")


def test_the_longest_name_is_still_a_name() -> None:
    assert sealing.index("S" * 256) == sealing.index("s" * 256)
    assert sealing.index("S" * 257) != sealing.index("s" * 257)


def test_another_name_is_another() -> None:
    assert len({sealing.index(name) for name in ("sam", "sam1", "samuel", "", "s" * 300, "s" * 301, "\ud800")}) == 7


def test_a_password_is_peppered_as_it_is() -> None:
    assert len({sealing.peppered(typed) for typed in ("Correct", "correct", " correct", "correct ", "\ud800")}) == 5


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        sealing.use(b"s" * 31)


def test_without_a_secret_nothing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    sealing.key_for.cache_clear()
    monkeypatch.setattr(sealing, "_secret", None)
    with pytest.raises(RuntimeError, match="No secret"):
        sealing.index("sam")
