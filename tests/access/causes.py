"""Everything that can be wrong with what is presented at a sign-in, and that nobody may tell apart.

Each cause arranges the house and gives the one request to send. `nobody` comes first: there is no such person.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from api.access import activation
from tests.access.ways import PASSWORD, begin, code_now
from tests.authenticator import Passkey
from tests.phone import Answer, Phone

SQL = Callable[..., list[tuple[Any, ...]]]
Knock = Callable[[], Answer]


@dataclass
class House:
    """What causes are made of: phones from addresses of their own, a patient and codes for them, the owner's SQL."""

    new_phone: Callable[..., Phone]
    patient_id: UUID
    invite: Callable[[str], str]
    sql: SQL

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)

    @cached_property
    def phone(self) -> Phone:
        """The patient's, with a passkey."""
        made = self.new_phone()
        made.activate(self.invite("link_code"), keep_authenticators="true")
        return made

    @cached_property
    def named(self) -> Phone:
        """The patient's, with a password and one-time codes; its `name` is that sign-in name."""
        made = self.new_phone()
        code = self.invite("link_code")
        made.name = made.set_password(code, "Sam", PASSWORD, code_now, keep_authenticators="true")
        return made

    def stranger(self) -> Phone:
        """A phone that the house has never seen, with tries of its own."""
        number = next(self._numbers)
        return self.new_phone(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}")

    def code(self, form: str, **columns: Any) -> str:
        """A code whose row says so."""
        code = self.invite(form)
        for column, value in columns.items():
            self.sql(f"UPDATE activation_codes SET {column} = {value} WHERE ended_at IS NULL AND used_at IS NULL")
        return code

    def status(self, word: str) -> None:
        self.sql("UPDATE patients SET status = %s WHERE id = %s", word, self.patient_id)


Cause = Callable[[House], Knock]


def password(**said: str) -> Cause:
    def arranged(house: House) -> Knock:
        phone, named = house.stranger(), house.named
        house.sql("UPDATE sign_in_accounts SET totp_last_step = NULL")
        form = {"sign_in_name": named.name, "password": PASSWORD, "totp": code_now(named.secret), **said}
        return lambda: phone.challenge(**begin(**form))

    return arranged


def password_of(arrange: Callable[[House], object]) -> Cause:
    """All of it right, in a house where it must not do."""

    def arranged(house: House) -> Knock:
        knock = password()(house)
        arrange(house)
        return knock

    return arranged


def code_is_used(house: House) -> None:
    house.sql("UPDATE sign_in_accounts SET totp_last_step = 1000000000")


def no_totp(house: House) -> None:
    house.sql("UPDATE sign_in_accounts SET totp_secret = NULL")


def status(word: str) -> Callable[[House], None]:
    return lambda house: house.status(word)


def code(form: str, **columns: str) -> Cause:
    def arranged(house: House) -> Knock:
        return _presented(house, house.code(form, **columns))

    return arranged


def code_of(form: str, change: Callable[[str], str]) -> Cause:
    return lambda house: _presented(house, change(house.code(form)))


def code_under(form: str, word: str) -> Cause:
    def arranged(house: House) -> Knock:
        knock = _presented(house, house.code(form))
        house.status(word)
        return knock

    return arranged


def of_nobody(shown: str) -> str:
    """A well-made code that was never issued."""
    return _typed("ZZZZZ" + _plain(shown)[5:15]) if "-" in shown else _other(shown[:5]) + shown[5:]


def with_another_secret(shown: str) -> str:
    plain = _plain(shown)
    return _typed(plain[:5] + _other(plain[5:15]))


def replaced(form: str) -> Cause:
    def arranged(house: House) -> Knock:
        first = house.code(form)
        house.code(form)
        return _presented(house, first)

    return arranged


def passkey(**said: Any) -> Cause:
    """An assertion of the patient's passkey in which something is said otherwise."""

    def arranged(house: House) -> Knock:
        phone, authenticator = house.stranger(), house.phone.authenticator
        assert authenticator
        step = phone.challenge(**begin()).json
        credential = authenticator.get(step["passkey_request"], **said)
        return lambda: phone.challenge(auth_session=step["auth_session"], passkey=credential)

    return arranged


def passkey_under(word: str) -> Cause:
    def arranged(house: House) -> Knock:
        knock = passkey()(house)
        house.status(word)
        return knock

    return arranged


def passkey_of_nobody(house: House) -> Knock:
    assert house.phone.authenticator
    mine = house.phone.authenticator.passkeys[0]
    return passkey(passkey=Passkey(bytes(32), mine.rp_id, mine.user_handle, mine.key))(house)


def passkey_removed(house: House) -> Knock:
    knock = passkey()(house)
    house.sql("DELETE FROM passkeys")
    return knock


def stale(house: House) -> Knock:
    knock = passkey()(house)
    house.sql("UPDATE sign_ins SET created_at = now() - interval '301 seconds'")
    return knock


def _presented(house: House, shown: str) -> Knock:
    phone = house.stranger()
    return lambda: phone.challenge(**begin(activation_code=shown))


def _plain(shown: str) -> str:
    return shown.replace("-", "")


def _typed(text: str) -> str:
    return text + activation._check(text + activation.LETTERS[0])


def _other(text: str) -> str:
    return "".join(activation.LETTERS[(activation.LETTERS.index(letter) + 1) % 32] for letter in text)


STATUSES = ("suspended", "deceased", "merged")
GONE = {
    "expired": {"expires_at": "now()"},
    "used": {"used_at": "now()"},
    "burnt": {"wrong_tries": "5"},
}
CAUSES: dict[str, dict[str, Cause]] = {
    "password": {
        "nobody": password(sign_in_name="nobody-0000"),
        "wrong password": password(password="another heron"),
        "wrong code": password(totp="000000"),
        "malformed code": password(totp="letters"),
        "used code": password_of(code_is_used),
        "no codes": password_of(no_totp),
        **{word: password_of(status(word)) for word in STATUSES},
    },
    "typed code": {
        "nobody": code_of("code", of_nobody),
        "wrong secret": code_of("code", with_another_secret),
        "malformed": code_of("code", lambda shown: shown[:-1]),
        "replaced": replaced("code"),
        **{word: code("code", **columns) for word, columns in GONE.items()},
        **{word: code_under("code", word) for word in STATUSES},
    },
    "link": {
        "nobody": code_of("link_code", of_nobody),
        "replaced": replaced("link_code"),
        **{word: code("link_code", **columns) for word, columns in GONE.items()},
        **{word: code_under("link_code", word) for word in STATUSES},
    },
    "passkey": {
        "nobody": passkey_of_nobody,
        "wrong signature": passkey(signature=b"wrong"),
        "of somebody else": passkey(user_handle=bytes(64)),
        "of no name": passkey(user_handle=None),
        "without verification": passkey(uv=False),
        "another origin": passkey(origin="https://elsewhere.example"),
        "stale": stale,
        "malformed": passkey(json_id="?"),
        "removed": passkey_removed,
        **{word: passkey_under(word) for word in STATUSES},
    },
}
