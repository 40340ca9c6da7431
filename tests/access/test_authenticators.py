"""What patients sign in with: whose it is, the last way in, names that are nobody's, and notices of every change."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import orm

from api import db, errors
from api.access import app_sessions, authenticators, ceremonies, notices, sealing
from api.access.models import Passkey, SignInAccount
from api.messages import gateway
from api.patients import service as patients
from tests.knocking import Knocker

SQL = Callable[..., list[tuple[Any, ...]]]
AT = datetime(2026, 11, 23, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def jobs(owner_sql: SQL) -> Iterator[None]:
    notices.register()
    owner_sql("DELETE FROM jobs.procrastinate_jobs")
    yield
    owner_sql("DELETE FROM jobs.procrastinate_jobs")


def told(sql: SQL) -> list[str]:
    return [name for (name,) in sql("SELECT task_name FROM jobs.procrastinate_jobs ORDER BY id")]


def as_(patient: Knocker) -> AbstractContextManager[orm.Session]:
    return db.transaction(db.Caller(kind="patient", patient_id=patient.id))


def created(id: bytes = b"credential", key: bytes = b"key") -> ceremonies.Created:
    return ceremonies.Created(id, key, 0, ("hybrid", "internal"), True, True)


def add(patient: Knocker, id: bytes = b"credential", key: bytes = b"key") -> Passkey:
    assert patient.id
    with as_(patient):
        return authenticators.add_passkey(patient_id=patient.id, created=created(id, key), name="Phone", at=AT)


def remove(patient: Knocker, passkey_id: UUID, keep: UUID | None = None) -> None:
    assert patient.id
    with as_(patient):
        authenticators.remove_passkey(patient_id=patient.id, passkey_id=passkey_id, keep=keep)


def set_password(patient: Knocker, **given: Any) -> str | None:
    assert patient.id
    whole = {"name": None, "password_hash": None, "totp_secret": None, "at": AT, **given}
    with as_(patient):
        return authenticators.set_password(patient_id=patient.id, **whole)


def complete(patient: Knocker) -> None:
    assert patient.id
    sealed = authenticators.sealed_totp(patient.id, "JBSWY3DPEHPK3PXP")
    set_password(patient, name="sam-0000", password_hash="argon2", totp_secret=sealed, totp_step=7)


def account(patient: Knocker) -> SignInAccount:
    assert patient.id
    with as_(patient):
        return authenticators.account(patient.id)


def test_an_account_has_a_random_handle_and_is_made_once(patient: Knocker, other_patient: Knocker) -> None:
    with ThreadPoolExecutor(8) as pool:
        handles = set(pool.map(lambda _: account(patient).user_handle, range(16)))
    assert len(handles) == 1 and {len(one) for one in handles} == {64}
    assert account(other_patient).user_handle not in handles


def test_a_passkey_is_kept_as_it_was_created(patient: Knocker) -> None:
    kept = add(patient)
    with as_(patient):
        (found,) = authenticators.passkeys(patient.id)  # type: ignore[arg-type]
        assert authenticators.exclude(patient.id) == [b"credential"]  # type: ignore[arg-type]
    assert (found.id, found.public_key, found.transports) == (kept.id, b"key", ["hybrid", "internal"])
    assert (found.name, found.created_at, found.backup_eligible, found.last_used_at) == ("Phone", AT, True, None)


def test_the_same_passkey_again_is_the_same(patient: Knocker, owner_sql: SQL) -> None:
    assert add(patient).id == add(patient).id
    assert told(owner_sql) == ["tell-authenticator-added"]


def test_a_passkey_of_another_is_refused_like_a_broken_one(patient: Knocker, other_patient: Knocker) -> None:
    add(patient)
    for by, key in ((other_patient, b"key"), (patient, b"another key")):
        with pytest.raises(ceremonies.PasskeyRefused):
            add(by, key=key)


def test_there_is_an_end_to_passkeys(patient: Knocker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authenticators, "MOST_PASSKEYS", 2)
    add(patient, b"1")
    add(patient, b"2")
    with pytest.raises(authenticators.TooManyPasskeys):
        add(patient, b"3")


def test_the_last_way_in_stays(patient: Knocker) -> None:
    first, second = add(patient, b"1"), add(patient, b"2")
    remove(patient, first.id)
    with pytest.raises(authenticators.LastAuthenticator):
        remove(patient, second.id)
    complete(patient)
    remove(patient, second.id)


@pytest.mark.parametrize("missing", ["name_index", "password_hash", "totp_secret"])
def test_half_a_password_is_no_way_in(patient: Knocker, owner_sql: SQL, missing: str) -> None:
    only = add(patient)
    complete(patient)
    owner_sql(f"UPDATE sign_in_accounts SET {missing} = NULL")
    with pytest.raises(authenticators.LastAuthenticator):
        remove(patient, only.id)


def test_of_two_removed_at_once_one_stays(patient: Knocker) -> None:
    both = [add(patient, b"1").id, add(patient, b"2").id]

    def removed(passkey_id: UUID) -> bool:
        try:
            remove(patient, passkey_id)
        except authenticators.LastAuthenticator:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(removed, both)) == [False, True]


def test_somebody_elses_passkey_is_not_there(patient: Knocker, other_patient: Knocker) -> None:
    theirs = add(patient)
    for nobodys in (theirs.id, db.uuid7()):
        with pytest.raises(errors.NotFound):
            remove(other_patient, nobodys)


def test_what_a_removed_passkey_opened_ends(patient: Knocker, owner_sql: SQL) -> None:
    first, _ = add(patient, b"1"), add(patient, b"2")
    opened, kept = db.uuid7(), db.uuid7()
    for app_session in (opened, kept):
        owner_sql(
            "INSERT INTO app_sessions (id, patient_id, expires_at, passkey_id) VALUES (%s, %s, 'infinity', %s)",
            *(app_session, patient.id, first.id),
        )
    remove(patient, first.id, keep=kept)
    ended = owner_sql("SELECT id, end_reason FROM app_sessions WHERE ended_at IS NOT NULL")
    assert ended == [(opened, "authenticator_removed")]
    assert "tell-authenticator-removed" in told(owner_sql)


@pytest.mark.parametrize(
    ("wish", "base"),
    [
        ("Sam", "sam"),
        (" José Ángel ", "jose.angel"),
        ("sam_j-1.", "sam_j-1"),
        ("Straße 7", "strasse.7"),
        ("a" * 60, "a" * 40),
        ("<sam>\x00", "sam"),
    ],
)
def test_a_name_is_made_of_the_wish(wish: str, base: str) -> None:
    assert re.fullmatch(re.escape(base) + r"-\d{4}", authenticators.chosen_name(wish))


@pytest.mark.parametrize("wish", ["", "ab", "李小龍", "-.-.-", "\ud800"])
def test_a_wish_that_leaves_too_little_is_refused(wish: str) -> None:
    with pytest.raises(authenticators.SignInNameRefused):
        authenticators.chosen_name(wish)


def test_names_differ_in_their_digits() -> None:
    assert len({authenticators.chosen_name("sam") for _ in range(40)}) > 30


def test_the_name_is_kept_as_an_index_alone(patient: Knocker, owner_sql: SQL) -> None:
    assert set_password(patient, name="sam-4711") == "sam-4711"
    assert account(patient).name_index == sealing.index("SAM-4711")
    assert "sam" not in str(owner_sql("SELECT sign_in_accounts::text FROM sign_in_accounts"))


def test_a_name_that_is_taken_gets_other_digits(
    patient: Knocker, other_patient: Knocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_password(patient, name="sam-4711")
    drawn = iter([4711, 7])
    monkeypatch.setattr(authenticators.secrets, "randbelow", lambda _: next(drawn))
    kept = set_password(other_patient, name="sam-4711", password_hash="argon2")
    assert kept == "sam-0007"
    assert account(other_patient).name_index == sealing.index("sam-0007")
    assert account(other_patient).password_hash == "argon2"
    assert account(patient).name_index == sealing.index("sam-4711")


def test_what_is_not_given_stays(patient: Knocker) -> None:
    complete(patient)
    assert set_password(patient, password_hash="new") is None
    held = account(patient)
    assert (held.name_index, held.password_hash, held.totp_last_step) == (sealing.index("sam-0000"), "new", 7)
    assert authenticators.totp_secret(held) == "JBSWY3DPEHPK3PXP" and held.password_set_at == AT


def test_a_totp_secret_opens_in_its_own_row_only(patient: Knocker, other_patient: Knocker, owner_sql: SQL) -> None:
    complete(patient)
    account(other_patient)
    owner_sql(
        "UPDATE sign_in_accounts SET totp_secret = sams.totp_secret FROM sign_in_accounts AS sams"
        " WHERE sams.totp_secret IS NOT NULL"
    )
    with pytest.raises(ValueError, match="not for this place"):
        authenticators.totp_secret(account(other_patient))


def test_after_a_lost_phone_nothing_but_the_new_passkey_is_left(patient: Knocker, owner_sql: SQL) -> None:
    add(patient, b"1")
    new = add(patient, b"2")
    complete(patient)
    with as_(patient):
        assert authenticators.end_all(patient_id=patient.id, except_passkey=new.id) == 2  # type: ignore[arg-type]
        assert authenticators.exclude(patient.id) == [b"2"]  # type: ignore[arg-type]
    held = account(patient)
    assert not authenticators.has_password(held)
    assert (held.name_index, held.password_hash, held.totp_secret, held.totp_last_step) == (None,) * 4
    assert told(owner_sql)[-1] == "tell-authenticator-removed"


def test_where_nothing_was_left_to_end_nobody_is_told(patient: Knocker, other_patient: Knocker, owner_sql: SQL) -> None:
    kept = add(patient)
    owner_sql("DELETE FROM jobs.procrastinate_jobs")
    for one, passkey in ((patient, kept.id), (other_patient, None)):
        with as_(one):
            assert authenticators.end_all(patient_id=one.id, except_passkey=passkey) == 0  # type: ignore[arg-type]
    assert told(owner_sql) == []


class Sent:
    """A gateway that notes whether a transaction is open while it delivers."""

    def __init__(self, outcome: str = gateway.ACCEPTED) -> None:
        self.messages: list[gateway.Message] = []
        self.outcome, self.open = outcome, False

    def deliver(self, message: gateway.Message) -> str:
        try:
            self.open = bool(db.session())
        except LookupError:
            self.messages.append(message)
        return self.outcome

    def accepted(self, keys: Any) -> frozenset[str]:
        return frozenset()


def say(what: str, patient: Knocker, monkeypatch: pytest.MonkeyPatch, outcome: str = gateway.ACCEPTED) -> Sent:
    sent = Sent(outcome)
    monkeypatch.setattr(gateway, "_in_use", sent)
    notices._JOBS[what](patient_id=patient.id, notice_id=UUID(int=5))
    return sent


@pytest.mark.parametrize("what", notices.TEMPLATES)
def test_a_notice_is_said_in_the_patients_language_with_no_transaction_open(
    new_patient: Callable[..., Knocker], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    patient = new_patient(language="es")
    sent = say(what, patient, monkeypatch)
    (message,) = sent.messages
    assert not sent.open and message.key == f"notice:{UUID(int=5)}"
    assert (message.channel, message.recipient, message.language) == ("push", str(patient.id), "es")
    assert "abra la aplicación" in message.text


def test_a_notice_that_is_not_taken_is_tried_again(patient: Knocker, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(notices.NotTaken):
        say(notices.ADDED, patient, monkeypatch, gateway.RETRY)
    assert say(notices.ADDED, patient, monkeypatch, gateway.REFUSED).messages


def test_nobody_is_told_after_a_death(patient: Knocker, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.transaction(db.SYSTEM):
        patients.set_status(patient_id=patient.id, status="deceased", at=AT)  # type: ignore[arg-type]
    assert say(notices.ENDED, patient, monkeypatch).messages == []


def test_several_changes_at_once_are_one_notice(patient: Knocker, owner_sql: SQL) -> None:
    for id in (b"1", b"2", b"3"):
        add(patient, id)
    assert told(owner_sql) == ["tell-authenticator-added"]


def test_a_notice_of_what_was_rolled_back_is_not_given(patient: Knocker, owner_sql: SQL) -> None:
    with pytest.raises(ZeroDivisionError), as_(patient):
        authenticators.add_passkey(patient_id=patient.id, created=created(), name=None, at=AT)  # type: ignore[arg-type]
        raise ZeroDivisionError
    assert told(owner_sql) == []


def test_a_job_holds_ids_and_nothing_else(patient: Knocker, owner_sql: SQL) -> None:
    add(patient)
    ((args,),) = owner_sql("SELECT args FROM jobs.procrastinate_jobs")
    assert set(args) == {"patient_id", "notice_id"} and args["patient_id"] == str(patient.id)


def test_ending_all_sign_ins_may_keep_one(patient: Knocker, owner_sql: SQL) -> None:
    with as_(patient):
        kept = patient.app_session_id
        assert app_sessions.end_all(patient_id=patient.id, reason="recovered", keep=kept) == 0  # type: ignore[arg-type]
        assert app_sessions.end_all(patient_id=patient.id, reason="recovered") == 1  # type: ignore[arg-type]
        assert app_sessions.mine(patient.id) == []  # type: ignore[arg-type]
