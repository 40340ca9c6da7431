"""What signing in no longer needs is forgotten, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from api import db, errors
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
        "id, session_hash, code_hash, client_id, scopes, challenge, expires_at)"
        f" SELECT gen_random_uuid(), {BYTES}, {BYTES}, 'app', '{{}}', {BYTES}, now()",
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


def test_attempts_that_came_to_nothing_go_within_hours(app: Any, owner_sql: SQL) -> None:
    for minutes in (59, 61):
        add(owner_sql, "sign_ins", minutes=90)
        owner_sql(
            "UPDATE sign_ins SET code_hash = NULL, expires_at = now() - make_interval(mins => %s)"
            " WHERE expires_at > now() - interval '1 minute'",
            minutes,
        )
    worker.run()
    assert count(owner_sql, "sign_ins") == 1


def long_over(sql: SQL, patient: Knocker, days: int) -> None:
    sql(
        "UPDATE app_sessions SET expires_at = now() - make_interval(days => %s) WHERE id = %s",
        days,
        patient.app_session_id,
    )


def test_phones_go_with_their_lineage_ninety_days_after_their_time(
    patient: Knocker, other_patient: Knocker, owner_sql: SQL
) -> None:
    for one, days in ((patient, 91), (other_patient, 89)):
        tokens(owner_sql, one, links=3)
        long_over(owner_sql, one, days)
    worker.run()
    assert owner_sql("SELECT patient_id FROM app_sessions") == [(other_patient.id,)]
    assert count(owner_sql, "refresh_tokens") == 3


def test_a_phone_stays_while_a_sign_in_names_it(patient: Knocker, owner_sql: SQL) -> None:
    long_over(owner_sql, patient, 91)
    add(owner_sql, "sign_ins", minutes=0)
    owner_sql("UPDATE sign_ins SET app_session_id = %s", patient.app_session_id)
    worker.run()
    assert count(owner_sql, "app_sessions") == 1


def test_what_cannot_be_forgotten_now_keeps_nothing_else(
    app: Any, owner_sql: SQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget = worker._forget

    def trouble(table: str, key: str, condition: str) -> bool:
        if table == "throttle_windows":
            raise errors.Unavailable
        return forget(table, key, condition)

    monkeypatch.setattr(worker, "_forget", trouble)
    for table in ("throttle_windows", "known_phones"):
        add(owner_sql, table, minutes=500 * 1440)
    worker.run()
    assert (count(owner_sql, "throttle_windows"), count(owner_sql, "known_phones")) == (1, 0)


# Where a few rows would be read as fast without one, the planner is told to take an index wherever there is one.
SCANS = "SET enable_seqscan = off; SET enable_bitmapscan = off"


@pytest.mark.parametrize(
    ("table", "key", "condition"), worker.OVER, ids=[f"{one[0]} {one[2][:9]}" for one in worker.OVER]
)
def test_what_is_over_is_found_by_an_index(app: Any, owner_sql: SQL, table: str, key: str, condition: str) -> None:
    plan = "\n".join(row for (row,) in explained(owner_sql, f"SELECT {key} FROM {table} WHERE {condition} LIMIT 1000"))
    assert "Seq Scan" not in plan, plan


def test_phones_that_are_over_are_found_by_an_index(app: Any, owner_sql: SQL) -> None:
    statement = str(worker._LINEAGES).replace(":most", "20")
    plan = "\n".join(row for (row,) in explained(owner_sql, statement))
    assert "Index Scan using ix_app_sessions_expires_at" in plan and "Seq Scan" not in plan, plan


def explained(sql: SQL, statement: str) -> list[tuple[Any, ...]]:
    sql(SCANS)
    try:
        return sql(f"EXPLAIN {statement}")
    finally:
        sql("RESET enable_seqscan; RESET enable_bitmapscan")


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


def test_codes_go_ninety_days_after_their_time(patient: Knocker, owner_sql: SQL) -> None:
    kept = {code(owner_sql, patient), code(owner_sql, patient, used_at=91), code(owner_sql, patient, expires_at=89)}
    code(owner_sql, patient, expires_at=91)
    code(owner_sql, patient, expires_at=91, used_at=92)
    worker.run()
    assert {one for (one,) in owner_sql("SELECT id FROM activation_codes")} == kept


def test_a_code_stays_while_a_sign_in_names_it(patient: Knocker, owner_sql: SQL) -> None:
    named = code(owner_sql, patient, expires_at=100)
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
