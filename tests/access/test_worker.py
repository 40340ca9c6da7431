"""What signing in no longer needs is forgotten, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from api import db
from api.access import worker
from tests.knocking import Knocker

SQL = Callable[..., list[tuple[Any, ...]]]
BYTES = "decode(md5(random()::text), 'hex')"

# By table: the columns beside the one whose age decides, that column, and the age at which a row goes, in minutes.
AGES = {
    "throttle_windows": (f"key, hits) SELECT {BYTES}, 1", "expires_at", 0),
    "spent_proofs": ("id) SELECT gen_random_uuid()", "spent_at", 10),
    "spent_assertions": ("id) SELECT gen_random_uuid()", "spent_at", 10),
    "known_phones": (f"hash) SELECT {BYTES}", "seen_at", 400 * 1440),
    "sign_ins": (
        "id, session_hash, client_id, scopes, challenge, expires_at)"
        f" SELECT gen_random_uuid(), {BYTES}, 'app', '{{}}', {BYTES}, now()",
        "created_at",
        30 * 1440,
    ),
}


def add(sql: SQL, table: str, *, minutes: float) -> None:
    columns, age, _ = AGES[table]
    columns = columns.replace(")", f", {age})", 1)
    sql(f"INSERT INTO {table} ({columns}, now() - make_interval(secs => %s * 60)", minutes)


def count(sql: SQL, table: str) -> int:
    return int(sql(f"SELECT count(*) FROM {table}")[0][0])


@pytest.mark.parametrize("table", AGES)
def test_what_is_over_goes_and_what_is_not_stays(app: Any, owner_sql: SQL, table: str) -> None:
    limit = AGES[table][2]
    for minutes in (limit - 1, limit + 1):
        add(owner_sql, table, minutes=minutes)
    assert not worker.run()
    assert count(owner_sql, table) == 1


def test_offers_of_passkeys_go_after_an_hour(patient: Knocker, owner_sql: SQL) -> None:
    for minutes in (59, 61):
        owner_sql(
            f"INSERT INTO passkey_offers VALUES (gen_random_uuid(), %s, {BYTES}, now() - make_interval(mins => %s))",
            patient.id,
            minutes,
        )
    worker.run()
    assert count(owner_sql, "passkey_offers") == 1


def test_revocations_go_with_their_tokens(clinic: Knocker, owner_sql: SQL) -> None:
    for minutes in (-1, 1):
        owner_sql(
            "INSERT INTO revoked_tokens VALUES (gen_random_uuid(), %s, now() - make_interval(mins => %s))",
            clinic.id,
            minutes,
        )
    worker.run()
    assert owner_sql("SELECT count(*) FROM revoked_tokens WHERE expires_at > now()") == [(1,)]
    assert count(owner_sql, "revoked_tokens") == 1


def tokens(sql: SQL, patient: Knocker, *, links: int) -> None:
    """A lineage: each token the parent of the next."""
    parent = None
    for _ in range(links):
        token = db.uuid7()
        sql(
            f"INSERT INTO refresh_tokens (id, app_session_id, patient_id, hash, parent_id)"
            f" VALUES (%s, %s, %s, {BYTES}, %s)",
            *(token, patient.app_session_id, patient.id, parent),
        )
        parent = token


@pytest.mark.parametrize("column", ["ended_at", "expires_at"])
def test_lineages_go_ninety_days_after_their_session(
    patient: Knocker, other_patient: Knocker, owner_sql: SQL, column: str
) -> None:
    for one, days in ((patient, 91), (other_patient, 89)):
        tokens(owner_sql, one, links=3)
        owner_sql(
            f"UPDATE app_sessions SET {column} = now() - make_interval(days => %s) WHERE id = %s",
            days,
            one.app_session_id,
        )
    worker.run()
    assert owner_sql("SELECT DISTINCT patient_id FROM refresh_tokens") == [(other_patient.id,)]
    assert count(owner_sql, "refresh_tokens") == 3


def code(sql: SQL, patient: Knocker, **days: int) -> Any:
    """An activation code; each time named in `days` lies so many days back. It expires in a week unless named."""
    identity, ages = db.uuid7(), {"expires_at": -7, "used_at": None, "ended_at": None, **days}
    sql(
        "INSERT INTO activation_codes (id, patient_id, selector_hash, secret_hash, link_hash, handed_over, expires_at,"
        f" used_at, ended_at) SELECT %s, %s, {BYTES}, 'x', {BYTES}, 'post', now() - make_interval(days => %s::int),"
        " now() - make_interval(days => %s::int), now() - make_interval(days => %s::int)",
        *(identity, patient.id, *ages.values()),
    )
    return identity


def test_codes_go_ninety_days_after_they_were_of_use(patient: Knocker, owner_sql: SQL) -> None:
    kept = {code(owner_sql, patient), code(owner_sql, patient, used_at=89), code(owner_sql, patient, expires_at=89)}
    for over in ("used_at", "ended_at", "expires_at"):
        code(owner_sql, patient, **{over: 91})
    worker.run()
    assert {one for (one,) in owner_sql("SELECT id FROM activation_codes")} == kept


def test_a_code_stays_while_a_sign_in_names_it(patient: Knocker, owner_sql: SQL) -> None:
    named = code(owner_sql, patient, used_at=100)
    add(owner_sql, "sign_ins", minutes=0)
    owner_sql("UPDATE sign_ins SET activation_id = %s", named)
    worker.run()
    assert count(owner_sql, "activation_codes") == 1


def test_a_turn_is_bounded_and_says_that_more_is_over(
    app: Any, owner_sql: SQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "BATCH", 2)
    for _ in range(3):
        add(owner_sql, "known_phones", minutes=500 * 1440)
    assert worker.run()
    assert count(owner_sql, "known_phones") == 1
    assert not worker.run()


def test_of_lineages_too(patient: Knocker, owner_sql: SQL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SESSIONS", 1)
    tokens(owner_sql, patient, links=2)
    owner_sql("UPDATE app_sessions SET expires_at = now() - interval '1 year'")
    assert worker.run()
    assert not worker.run()
