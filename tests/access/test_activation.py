"""Activation codes: two forms, one use, few tries, and one way for whatever is wrong."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from api import db, vocabulary
from api.access import activation, hashing
from api.patients import service as patients
from tests.knocking import Knocker
from tests.statements import watched

SQL = Callable[..., list[tuple[Any, ...]]]
NOBODYS = "00000000000000000000000000"


@pytest.fixture(scope="module")
def made() -> activation.Made:
    return activation.make("in_person")


def issued(patient: Knocker, made: activation.Made) -> activation.Issued:
    with db.transaction(db.SYSTEM):
        return activation.issue(patient_id=patient.id, made=made)


@pytest.fixture
def code(patient: Knocker, made: activation.Made) -> activation.Issued:
    return issued(patient, made)


def holding(presented: activation.Presented) -> db.Caller:
    return db.Caller(kind="holder", presented=presented.hash)


def tried(code: str) -> activation.Found | None:
    """The code's row if it may be used, with the try counted where not."""
    presented = activation.presented(code)
    with db.transaction(holding(presented)):
        found = activation.found(presented)
    if activation.right(found, presented):
        return found
    with db.transaction(holding(presented)):
        activation.missed(found.id if found else None)
    return None


def use(patient_id: UUID, activation_id: UUID) -> bool:
    with db.transaction(db.Caller(kind="patient", patient_id=patient_id)):
        return activation.use(patient_id=patient_id, activation_id=activation_id)


def other_letter(letter: str) -> str:
    return activation.LETTERS[(activation.LETTERS.index(letter) + 1) % 32]


def wrong_secret(code: str) -> str:
    """The same selector, another secret, and the check character that belongs to it."""
    text = code.replace("-", "")
    return activation._shown(text[:5] + other_letter(text[5]) + text[6:15])


def hashes() -> float:
    return REGISTRY.get_sample_value("continuum_secret_hashes_total") or 0


def test_both_forms_find_the_code(patient: Knocker, code: activation.Issued) -> None:
    assert code.code and code.link_code
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code.code)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", code.link_code)
    for form in (code.code, code.link_code):
        found = tried(form)
        assert found and (found.id, found.patient_id) == (code.id, patient.id)


def test_a_code_is_read_as_people_write_it(code: activation.Issued) -> None:
    assert code.code
    meant = activation.presented(code.code)
    spoken = code.code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert activation.presented(f"  {spoken} ") == meant == activation.presented(code.code.replace("1", "I"))


def test_every_slip_of_one_character_or_of_two_swapped_is_malformed() -> None:
    shown = activation._shown("7K3QZ" + "0123456789")
    right, text = activation.presented(shown), shown.replace("-", "")
    slips = {text[:at] + letter + text[at + 1 :] for at in range(16) for letter in activation.LETTERS}
    slips |= {text[:at] + text[at + 1] + text[at] + text[at + 2 :] for at in range(15)}
    read = {activation.presented(slip).hash for slip in slips - {text}}
    assert len(read) == len(slips) - 1 and right.hash not in read


@pytest.mark.parametrize("malformed", ["", "-", "\ud800", "U" * 16, "0" * 101, "0123-4567", "ß" * 8, "0" * 15 + "Ⅷ"])
def test_what_cannot_be_right_is_presented_like_a_typed_code(malformed: str) -> None:
    presented = activation.presented(malformed)
    assert presented.secret is not None and len(presented.hash) == 32


def test_malformed_codes_are_counted_apart_from_each_other() -> None:
    assert activation.presented("x").hash != activation.presented("y").hash


def test_a_selector_finds_no_link() -> None:
    assert activation._hash("link", "7K3QZ") != activation._hash("selector", "7K3QZ")


def test_the_database_holds_neither_form(code: activation.Issued, owner_sql: SQL) -> None:
    assert code.code and code.link_code
    row = str(owner_sql("SELECT activation_codes::text FROM activation_codes")[0][0])
    secret = code.code.replace("-", "")[5:15]
    assert "argon2id" in row and not any(part in row for part in (secret, code.code, code.link_code))
    assert code.link_code.encode().hex() not in row


@pytest.mark.parametrize(
    ("handed_over", "minutes"), [("in_person", 10080), ("post", 30240), ("email", 1440), ("sms", 10)]
)
def test_how_long_it_lives_depends_on_how_it_is_handed_over(
    patient: Knocker, made: activation.Made, owner_sql: SQL, handed_over: str, minutes: int
) -> None:
    issued(patient, activation.Made(handed_over, made.secret, made.secret_hash))
    lives = "SELECT extract(epoch FROM expires_at - created_at) / 60, handed_over FROM activation_codes"
    assert owner_sql(lives) == [(minutes, handed_over)]


def test_there_is_a_lifetime_for_every_way() -> None:
    assert activation.LIFETIMES.keys() == set(vocabulary.HANDED_OVER)


SPOILS = {
    "used": "used_at = now()",
    "ended": "ended_at = now()",
    "expired": "expires_at = now()",
    "burnt": "wrong_tries = 5",
}


@pytest.mark.parametrize("spoilt", SPOILS)
def test_a_spoilt_code_opens_nothing(patient: Knocker, code: activation.Issued, owner_sql: SQL, spoilt: str) -> None:
    assert code.code and code.link_code
    owner_sql(f"UPDATE activation_codes SET {SPOILS[spoilt]}")
    assert tried(code.code) is None
    assert tried(code.link_code) is None
    assert use(patient.id, code.id) is False  # type: ignore[arg-type]


def test_a_wrong_secret_is_counted_and_the_fifth_burns_the_code(code: activation.Issued, owner_sql: SQL) -> None:
    assert code.code
    for tries in range(1, 5):
        assert tried(wrong_secret(code.code)) is None
        assert owner_sql("SELECT wrong_tries FROM activation_codes") == [(tries,)]
    assert tried(code.code)
    tried(wrong_secret(code.code))
    assert tried(code.code) is None


def test_wrong_tries_at_nothing_are_nobodys(code: activation.Issued, owner_sql: SQL) -> None:
    for wrong in (NOBODYS, "0" * 16, "nonsense"):
        assert tried(wrong) is None
    assert owner_sql("SELECT wrong_tries FROM activation_codes") == [(0,)]


def test_an_earlier_code_ends_with_a_later_one(
    patient: Knocker, other_patient: Knocker, code: activation.Issued, made: activation.Made
) -> None:
    others, later = issued(other_patient, made), issued(patient, made)
    assert code.code and later.code and others.code
    assert tried(code.code) is None
    assert tried(later.code) and tried(others.code)


def test_two_issued_at_once_leave_one(patient: Knocker, made: activation.Made, owner_sql: SQL) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: issued(patient, made), range(8)))
    assert owner_sql("SELECT count(*) FROM activation_codes WHERE ended_at IS NULL") == [(1,)]


def test_a_taken_selector_is_drawn_again(
    patient: Knocker, other_patient: Knocker, made: activation.Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter(["AAAAA", "B" * 26, "AAAAA", "C" * 26, "DDDDD", "E" * 26])
    monkeypatch.setattr(activation, "_random", lambda length: next(drawn))
    first, second = issued(patient, made), issued(other_patient, made)
    assert first.code and second.code and first.code.startswith("AAAA-A") and second.code.startswith("DDDD-D")


@pytest.mark.parametrize("status", ["suspended", "deceased", "merged"])
def test_nobody_is_invited_to_an_account_that_is_not_active(
    patient: Knocker, made: activation.Made, owner_sql: SQL, status: str
) -> None:
    owner_sql("UPDATE patients SET status = %s", status)
    with pytest.raises(activation.PatientNotActive):
        issued(patient, made)


def test_of_twenty_at_once_one_uses_it(patient: Knocker, code: activation.Issued) -> None:
    with ThreadPoolExecutor(20) as pool:
        used = list(pool.map(lambda _: use(patient.id, code.id), range(20)))  # type: ignore[arg-type]
    assert used.count(True) == 1


def test_nobody_else_uses_it(other_patient: Knocker, code: activation.Issued, owner_sql: SQL) -> None:
    assert use(other_patient.id, code.id) is False  # type: ignore[arg-type]
    assert owner_sql("SELECT used_at FROM activation_codes") == [(None,)]


@pytest.mark.parametrize("spoilt", [None, *SPOILS])
def test_whatever_is_wrong_costs_one_hash_and_as_many_statements(
    code: activation.Issued, owner_sql: SQL, spoilt: str | None
) -> None:
    assert code.code
    counted: dict[str, list[Any]] = {}
    if spoilt:
        owner_sql(f"UPDATE activation_codes SET {SPOILS[spoilt]}")
    wrong = wrong_secret(code.code)
    for name, presented in {"this": wrong, "nobodys": "0" * 16, "malformed": "nonsense"}.items():
        before = hashes()
        with watched() as statements:
            assert tried(presented) is None
        counted[name] = [*statements, f"{hashes() - before} hashes"]
    assert counted["this"] == counted["nobodys"] == counted["malformed"]
    assert counted["this"][-1] == "1.0 hashes" and len(counted["this"]) == 5


def test_a_link_costs_no_hash(code: activation.Issued) -> None:
    assert code.link_code
    before = hashes()
    assert tried(code.link_code) and tried(NOBODYS) is None
    assert hashes() == before


def test_a_code_that_is_shown_again_has_no_secret(code: activation.Issued) -> None:
    with db.transaction(db.SYSTEM):
        shown = activation.again(code.id)
    assert shown == activation.Issued(code.id, "in_person", code.expires_at)


def test_a_patient_who_is_suspended_meanwhile_still_has_their_row(patient: Knocker, code: activation.Issued) -> None:
    """The account's status is asked of the patient, not of the code."""
    with db.transaction(db.SYSTEM):
        patients.set_status(patient_id=patient.id, status="suspended", at=code.expires_at)  # type: ignore[arg-type]
    assert tried(code.code or "") is not None


def test_secrets_are_hashed_outside_of_transactions(made: activation.Made) -> None:
    assert hashing.matches(made.secret, made.secret_hash)
