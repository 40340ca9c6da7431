"""The demo clinic and its callers, for requests made from the contract."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from api import clock, vocabulary
from api.app import Continuum
from api.programs import shelf
from tests.conftest import KEPT, add_client, sign_in
from tests.contract.documents import NAMED
from tests.dpop import Key
from tests.knocking import Knocker
from tests.phone import APP
from tests.referrals import things as referrals
from tests.webhooks import things as webhooks
from tests.world import NEWCOMER, Find, Sql, finder, furnished

CATALOGUE = [table for table in KEPT if table != "alembic_version"]


# The domain's time in the contract's examples: twenty minutes before the session that they speak of.
AT = datetime(2026, 11, 24, 13, 40, tzinfo=UTC)
# Operations that would take from the others what they need are given somebody or something else.
ROBINS = """
    SELECT e.id FROM enrollments e JOIN patients p ON p.id = e.patient_id WHERE p.external_id = 'EHR-100235'"""
NEW = f"SELECT id FROM patients WHERE external_id = '{NEWCOMER}'"
SAMS_GROUPS = """
    SELECT s.id FROM care_sessions s JOIN attendances a ON a.session_id = s.id JOIN patients p ON p.id = a.patient_id
    WHERE p.external_id = 'EHR-100234' AND s.kind = 'group' AND a.status = 'booked' ORDER BY s.starts_at"""
ELSEWHERE = {
    "putPatientStatus": {"external_id": "SELECT 'EHR-100236'"},
    "createEnrollment": {"external_id": f"SELECT '{NEWCOMER}'"},
    "createTransition": {"enrollment_id": ROBINS},
    "putSeriesMember": {"patient_id": NEW},
    "deleteSeriesMember": {"patient_id": NEW},
    "putSession": {"session_id": "SELECT id FROM care_sessions ORDER BY starts_at DESC"},
    "putAttendance": {"session_id": SAMS_GROUPS},
    "bookMyMakeUpSession": {"session_id": f"{SAMS_GROUPS} OFFSET 1"},
    "publishProgram": {"slug": "SELECT 'op'"},
    "cancelReferral": {"referral_id": referrals.find("to cancel")},
    "withdrawReferral": {"referral_id": referrals.find("to withdraw")},
    "admitReferral": {"referral_id": referrals.find("to admit")},
    "verifyReferralDocument": {"referral_id": referrals.find("to verify")},
}


# What ends the caller's own sign-in is asked by somebody whom no other operation needs.
LEAVING = ("deleteMyAppSessions",)


@dataclass
class House:
    """The demo clinic, furnished once for all operations: what one of them changes, the others meet."""

    callers: Mapping[str, dict[str, str]]
    there: Find
    sql: Sql

    def known(self, name: str) -> dict[str, str]:
        """Path parameters of the operation `name` that lead somewhere."""
        named = [one["name"] for one in NAMED[name].get("parameters", []) if one.get("in") == "path"]
        elsewhere = {key: self.sql(statement)[0][0] for key, statement in ELSEWHERE.get(name, {}).items()}
        return {one: str(found) for one in named if (found := elsewhere.get(one) or self.there(one))}

    def own(self, name: str) -> dict[str, str]:
        """What the caller sends for whom the operation `name` is made."""
        return self.callers["leaving" if name in LEAVING else own_kind(name)]


def own_kind(name: str) -> str:
    security = NAMED[name]["security"]
    return next(iter(security[0])) if security else "public"


@pytest.fixture(scope="module")
def house(app: Continuum, superuser: psycopg.Connection[Any]) -> Iterator[House]:
    def sql(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return superuser.execute(statement, values).fetchall()

    for table in CATALOGUE:
        superuser.execute(f"CREATE TEMP TABLE kept_{table} AS TABLE {table}")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clock, "now", lambda: AT)
        sam = furnished(app)
        own = {"Authorization": sam.headers["Authorization"]}
        robin = sign_in(app, sql("SELECT id FROM patients WHERE external_id = 'EHR-100235'")[0][0])
        callers = {
            "public": {},
            "patient": own,
            "leaving": robin.headers,
            "unproved": unproved(app, sam),
            "partner": system(app, superuser, "partner", vocabulary.PARTNER_SCOPES),
            "clinic": system(app, superuser, "clinic", vocabulary.CLINIC_SCOPES),
        }
        partner = sql("SELECT id FROM api_clients WHERE name = 'contract partner'")[0][0]
        webhooks.furnish(superuser, partner)
        referrals.furnish(superuser, partner, sam.id)
        yield House(callers, finder(sam, sql), sql)
    swept(superuser)


def system(app: Continuum, superuser: psycopg.Connection[Any], kind: str, scopes: Sequence[str]) -> dict[str, str]:
    """The token of a system with every scope of its kind; for whom it acts is made from the contract."""
    client = add_client(superuser, kind=kind, name=f"contract {kind}", scopes=scopes)
    token = app.extensions["tokens"].issue(kind=kind, subject=client, client_id=str(client), scopes=scopes)
    return {"Authorization": f"Bearer {token}"}


def unproved(app: Continuum, patient: Knocker) -> dict[str, str]:
    """The patient's token, bound to a key, in the hands of somebody who does not have the key."""
    token = app.extensions["tokens"].issue(
        kind="patient",
        subject=patient.id,
        client_id=APP,
        scopes=vocabulary.PATIENT_SCOPES,
        sid=patient.app_session_id,
        key=Key().thumbprint,
    )
    return {"Authorization": f"DPoP {token}"}


def swept(superuser: psycopg.Connection[Any]) -> None:
    """Empty all tables, and put the catalogue back as it was: what is published stays published otherwise."""
    superuser.execute("SELECT pg_temp.sweep()")
    with superuser.transaction():
        superuser.execute("SET LOCAL session_replication_role = replica")
        for table in CATALOGUE:
            superuser.execute(f"DELETE FROM {table}")
            superuser.execute(f"INSERT INTO {table} TABLE kept_{table}")
            superuser.execute(f"DROP TABLE kept_{table}")
    shelf.forget()
