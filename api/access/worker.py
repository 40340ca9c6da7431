"""Forgets what signing in no longer needs: windows that ended, proofs and codes long spent, phones long unseen.

Each part deletes a bounded batch in one statement of a transaction of its own, found by an index; one that fails keeps
no other from its turn. The tick comes round at once while any batch was full. Ages are counted by the database's clock,
as what they guard is.
"""

from collections.abc import Callable
from functools import partial

import sqlalchemy as sa

from api import db, errors
from api.observe import log

BATCH = 1000
# A session lived long may have thousands of refresh tokens, and all of its lineage goes at once.
SESSIONS = 20

# Table, key, and what is over. A sign-in names the activation code that it began with, so that goes after it.
OVER = (
    ("throttle_windows", "key", "expires_at <= now()"),
    ("spent_proofs", "id", "spent_at < now() - interval '10 minutes'"),
    ("spent_assertions", "id", "spent_at < now() - interval '10 minutes'"),
    ("passkey_offers", "id", "created_at < now() - interval '1 hour'"),
    ("revoked_tokens", "id", "expires_at <= now()"),
    ("sign_ins", "id", "code_hash IS NULL AND expires_at < now() - interval '1 hour'"),
    ("sign_ins", "id", "created_at < now() - interval '30 days'"),
    ("known_phones", "hash", "seen_at < now() - interval '400 days'"),
    (
        "activation_codes",
        "id",
        "expires_at < now() - interval '90 days'"
        " AND NOT EXISTS (SELECT FROM sign_ins WHERE activation_id = activation_codes.id)",
    ),
)

_LINEAGES = sa.text("""
    WITH over AS (
        SELECT id FROM app_sessions
        WHERE expires_at < now() - interval '90 days'
          AND NOT EXISTS (SELECT FROM sign_ins WHERE app_session_id = app_sessions.id)
        ORDER BY expires_at LIMIT :most
    ), lineages AS (
        DELETE FROM refresh_tokens WHERE app_session_id IN (SELECT id FROM over)
    ), gone AS (
        DELETE FROM app_sessions WHERE id IN (SELECT id FROM over)
    )
    SELECT count(*) FROM over
""")


def run() -> bool:
    """One turn; whether more may be over already."""
    full = [_tried(table, partial(_forget, table, key, condition)) for table, key, condition in OVER]
    return any([*full, _tried("app_sessions", _forget_phones)])


def _tried(table: str, part: Callable[[], bool]) -> bool:
    try:
        return part()
    except errors.Unavailable as trouble:
        log.error("not forgotten", part=table, error=type(trouble).__name__)
        return False


def _forget_phones() -> bool:
    """Delete app sessions that are long over, with all of their lineage."""
    with db.transaction(db.WORKER) as session:
        return bool(session.scalar(_LINEAGES, {"most": SESSIONS}) == SESSIONS)


def _forget(table: str, key: str, condition: str) -> bool:
    """Delete a batch of what is over; a window that began anew meanwhile is looked at again, and stays."""
    rows, over = sa.table(table, sa.column(key)), sa.text(condition)
    some = sa.select(rows.c[key]).where(over).limit(BATCH)
    those = rows.c[key].in_(some)
    with db.transaction(db.WORKER) as session:
        return len(session.scalars(sa.delete(rows).where(those, over).returning(rows.c[key])).all()) == BATCH
