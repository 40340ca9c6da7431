"""The demo clinic with something of everything in it, for tests that go through all operations."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from api import auth, clock, config, db, demo, vocabulary
from api.access import authenticators, ceremonies, offers
from api.app import Continuum
from api.patients import service as patients
from api.sessions import series
from api.staff import tasks
from schemas.calendar_feeds import CalendarFeedAsk
from schemas.consents import ConsentFormAsk
from schemas.devices import DeviceAsk
from schemas.restrictions import RestrictionAsk
from tests.conftest import sign_in
from tests.knocking import Knocker

# What is there, by the name of a path parameter; asked of the database, since no caller sees all of it.
THERE = {
    "external_id": "SELECT external_id FROM patients WHERE id = %s",
    "patient_id": "SELECT id FROM patients WHERE id = %s",
    "enrollment_id": "SELECT id FROM enrollments WHERE patient_id = %s",
    "session_id": """
        SELECT session_id FROM attendances a JOIN care_sessions s ON s.id = a.session_id
        WHERE a.patient_id = %s ORDER BY s.kind = 'individual' DESC, a.starts_at""",
    "make_up_session_id": "SELECT id FROM care_sessions WHERE title = 'Saturday group' ORDER BY starts_at OFFSET 1",
    "app_session_id": "SELECT id FROM app_sessions WHERE patient_id = %s ORDER BY id",
    "offer_id": "SELECT id FROM passkey_offers WHERE patient_id = %s",
    "passkey_id": "SELECT id FROM passkeys WHERE patient_id = %s",
    "device_id": "SELECT id FROM devices WHERE patient_id = %s",
    "reminder_id": "SELECT id FROM reminders WHERE patient_id = %s ORDER BY id",
    "check_in_id": "SELECT id FROM check_ins WHERE patient_id = %s",
    "feed_id": "SELECT id FROM calendar_feeds WHERE patient_id = %s",
    "consent_id": "SELECT id FROM consents WHERE patient_id = %s ORDER BY id",
    "restriction_id": "SELECT id FROM restrictions WHERE patient_id = %s ORDER BY id",
    "series_id": "SELECT id FROM session_series ORDER BY id",
    "location_id": "SELECT id FROM locations ORDER BY id",
    "closure_id": "SELECT id FROM location_closures",
    "alert_id": "SELECT id FROM alerts",
    "task_id": "SELECT id FROM tasks WHERE cause = 'overdue_referral'",
    "referral_id": "SELECT id FROM referrals WHERE own_identifier = 'to read'",
    "patient_external_id": "SELECT 'EHR-100240'",
    "endpoint_id": "SELECT id FROM webhook_endpoints ORDER BY id",
    "delivery_id": "SELECT id FROM webhook_deliveries ORDER BY created_at",
    "slug": "SELECT 'iop'",
    "key": "SELECT 'phq-9'",
}
NOT_SAFE = {"instrument": "daily", "instrument_version": "1", "answers": [{"item": "safe_now", "choice": "no"}]}


NEWCOMER = "EHR-100299"
# A group that nobody is in, for who missed another.
SATURDAYS = {
    "kind": "group",
    "title": "Saturday group",
    "modality": "in_person",
    "program_slug": "iop",
    "time_zone": "America/New_York",
    "duration_minutes": 60,
    "rrule": "FREQ=WEEKLY;COUNT=6",
}

Find = Callable[[str], Any]
Sql = Callable[..., list[tuple[Any, ...]]]


def freshly(patient: Knocker, *, acr: str = "phr", minutes: float = 0) -> Knocker:
    """The same phone, with a token that tells how and how long ago the patient proved who they are."""
    token = patient.app.extensions["tokens"].issue(
        kind="patient",
        subject=patient.id,
        client_id=config.DEMO_APP,
        scopes=vocabulary.PATIENT_SCOPES,
        sid=patient.app_session_id,
        proved=auth.Proved(acr, ("hwk", "user"), clock.wall() - timedelta(minutes=minutes)),
    )
    return replace(patient, headers={"Authorization": f"Bearer {token}"})


def furnished(app: Continuum) -> Knocker:
    """Load the demo clinic, and beside it a patient without an enrollment and a task; gives the demo patient, signed
    in, who has just said that they do not feel safe."""
    demo.load(app.settings)
    with db.transaction(db.SYSTEM):
        patient_id = patients.by_external_id(demo.PATIENT).id
    sign_in(app, patient_id)
    # Tests of all operations take minutes; a sign-in ahead of the clock stays fresh.
    sam = freshly(sign_in(app, patient_id, demo.PATIENT), minutes=-60)
    authenticate(app, patient_id)
    assert sam.post("/v1/me/calendar-feeds", json=CalendarFeedAsk.example).status_code == 201
    now = clock.now().isoformat()
    said = sam.post("/v1/me/check-ins", json={**NOT_SAFE, "id": str(db.uuid7()), "occurred_at": now, "sent_at": now})
    assert said.status_code == 201, said.text
    assert sam.post("/v1/me/devices", json=DeviceAsk.example).status_code == 201
    agree(sam)
    with db.transaction(db.SYSTEM):
        patients.upsert(external_id=NEWCOMER, at=clock.now())
        tasks.open_task(patient_id=patient_id, cause="overdue_referral", at=clock.now())
        series.schedule(details={**SATURDAYS, "first_starts_local": next_saturday()}, at=clock.now())
    return sam


def agree(sam: Knocker) -> None:
    """A consent to those who treat them, and the wish that something not be told."""
    shown = sam.post("/v1/me/consent-form", key="", json=ConsentFormAsk.example)
    signed = {**ConsentFormAsk.example, "text_sha256": shown.json["text_sha256"], "signature": "Sam Rivers"}
    assert sam.post("/v1/me/consents", json=signed).status_code == 201
    assert sam.post("/v1/me/restriction-requests", json=RestrictionAsk.example).status_code == 201


def next_saturday() -> datetime:
    """Ten in the morning on the next Saturday that has not begun, as a wall time."""
    today = clock.now().replace(tzinfo=None, hour=10, minute=0, second=0, microsecond=0)
    return today + timedelta(days=(4 - today.weekday()) % 7 + 1)


def authenticate(app: Continuum, patient_id: UUID) -> None:
    """Two passkeys, and the offer of a third."""
    rp = ceremonies.RelyingParty(app.settings.apps.rp_id, app.settings.apps.origins)
    with db.transaction(db.Caller(kind="patient", patient_id=patient_id)):
        for name in ("Phone", "Tablet"):
            made = ceremonies.Created(db.uuid7().bytes, b"", 0, (), True, True)
            authenticators.add_passkey(patient_id=patient_id, created=made, name=name, at=clock.wall())
        offers.passkey(patient_id=patient_id, rp=rp)


def finder(sam: Knocker, sql: Sql) -> Find:
    """Gives the id that a path parameter of a name may have; None where nothing of the kind is there."""

    def find(name: str) -> Any:
        found = sql(THERE[name], *([sam.id] if "%s" in THERE[name] else []))
        return found[0][0] if found else None

    return find


@pytest.fixture
def sam(app: Continuum) -> Knocker:
    return furnished(app)


@pytest.fixture
def there(sam: Knocker, owner_sql: Sql) -> Find:
    return finder(sam, owner_sql)
