"""A synthetic clinic for development: nobody in it exists, and its numbers are reserved for fiction (555-0100…0199).

Loading again changes nothing but what time has used up: there is always a session about to begin, so that a newcomer
can say "I am here". Tokens are those of real app sessions and a real client, minutes long like all others. The demo
phone has no key, which is let pass in development alone, and everything here refuses to run outside of it.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from api import auth, clock, config, db, demo_contacts, keys, vocabulary
from api.access import clients
from api.access import service as access
from api.access.models import ApiClient, AppSession
from api.demo_patient import PATIENT
from api.enrollments import placement
from api.enrollments import service as enrollments
from api.patients import service as patients
from api.programs import availability, capacity, locations
from api.programs.models import Location
from api.sessions import members, series
from api.sessions.models import Attendance, SessionSeries

CLIENT = "Demo record system"
PEOPLE = {"EHR-100234": "Sam", "EHR-100235": "Robin", "EHR-100236": "Kai"}
PLACE = {
    "name": "Demo Street",
    "address": {
        "street": "100 Demo Street",
        "city": "Springfield",
        "region": "MA",
        "postal_code": "01101",
        "country": "US",
    },
    "phone": "+1 202-555-0142",
    "programs": ["iop", "op"],
    "answers_clinic_line": True,
    "hours": [
        {"weekday": weekday, "opens": "09:00", "closes": "21:30"}
        for weekday in ("monday", "tuesday", "wednesday", "thursday", "friday")
    ],
}
CAPACITIES = {"iop": "open", "op": "waitlist"}
SOON = timedelta(minutes=20)
LINK = "https://video.example/rooms/demo"


def load(settings: config.Config) -> None:
    """The demo clinic, its people, and a session that begins within `SOON`. Raises `config.Misconfigured`."""
    _refuse_outside(settings)
    at, zone = clock.now(), ZoneInfo(settings.clinic_time_zone)
    with db.transaction(db.SYSTEM):
        place_id = _place(settings.clinic_time_zone)
        people = [patients.upsert(external_id=id, preferred_name=name, at=at).id for id, name in PEOPLE.items()]
    with db.transaction(db.SYSTEM):
        _say_capacity(place_id, at)
    for patient_id in people:
        with db.transaction(db.SYSTEM):
            _enroll(patient_id, at)
    for patient_id in people:
        demo_contacts.give_device(patient_id, _app_session(patient_id))
    demo_contacts.give_number(people[0], at=at)
    _groups(place_id, people, at, zone)
    _about_to_begin(people[0], at, zone)


def register(settings: config.Config, owner_url: str) -> None:
    """Register the demo record system, as only the database's owner can."""
    _refuse_outside(settings)
    with db.opened_by_owner(owner_url), db.transaction(db.OWNER):
        clients.keep_keyless(kind="clinic", name=CLIENT, scopes=vocabulary.CLINIC_SCOPES)


def write_tokens(settings: config.Config, folder: Path) -> None:
    """Fresh tokens of the demo patient and the demo record system in `folder`, readable by their owner only."""
    _refuse_outside(settings)
    key_file = keys.KeyFile(settings.token_keys_file)
    tokens = auth.Tokens(key_file.current, issuer=settings.public_url, remembered=0)
    with db.transaction(db.SYSTEM) as session:
        client = session.scalars(sa.select(ApiClient.id).where(ApiClient.name == CLIENT)).one()
        patient_id = patients.by_external_id(PATIENT).id
    app_session = _app_session(patient_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(
        folder / "patient",
        tokens.issue(
            kind="patient",
            subject=patient_id,
            client_id=config.DEMO_APP,
            scopes=vocabulary.PATIENT_SCOPES,
            sid=app_session,
        ),
    )
    _write(
        folder / "clinic",
        tokens.issue(kind="clinic", subject=client, client_id=str(client), scopes=vocabulary.CLINIC_SCOPES),
    )


def _refuse_outside(settings: config.Config) -> None:
    if not settings.development:
        raise config.Misconfigured("The demo clinic and its tokens exist in development only.")


def _place(time_zone: str) -> UUID:
    known = db.session().scalar(sa.select(Location.id).where(Location.name == PLACE["name"]))
    return known or locations.add(described={**PLACE, "time_zone": time_zone}).id


def _say_capacity(place_id: UUID, at: datetime) -> None:
    """Confirmed anew once it has grown too old to be told."""
    for one in capacity.shown(at=at):
        if one.location.id == place_id and one.state == availability.CALL_US:
            state = CAPACITIES[one.program.slug]
            capacity.confirm(program=one.program.slug, location_id=place_id, state=state, by="demo", at=at)


def _enroll(patient_id: UUID, at: datetime) -> None:
    if not enrollments.history(patient_id=patient_id):
        placement.place(
            patient_id=patient_id, program="iop", focus=["substance_use"], starts_at=at - timedelta(days=10), at=at
        )


def _groups(place_id: UUID, people: list[UUID], at: datetime, zone: ZoneInfo) -> None:
    """A group on three evenings a week since last Monday, for a year, with all the people in it."""
    title = "Evening group"
    if _known(title):
        return
    today = at.astimezone(zone).replace(tzinfo=None, hour=18, minute=0, second=0)
    with db.transaction(db.SYSTEM):
        group = series.schedule(
            details=_series(
                "group", title, "Grupo de la tarde", today - timedelta(days=today.weekday()), 180, zone.key, place_id,
                rrule="FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=156",
            ),
            at=at,
        ).id  # fmt: skip
    for patient_id in people:
        with db.transaction(db.SYSTEM):
            members.join(series_id=group, patient_id=patient_id, at=at)


def _about_to_begin(patient_id: UUID, at: datetime, zone: ZoneInfo) -> None:
    """One session on its own that begins within `SOON`, unless one does already."""
    with db.transaction(db.SYSTEM) as session:
        soon = sa.select(Attendance.session_id).where(
            Attendance.patient_id == patient_id,
            Attendance.status == "booked",
            Attendance.starts_at.between(at, at + SOON),
        )
        if session.scalar(soon.limit(1)):
            return
        starts = (at + SOON).astimezone(zone).replace(tzinfo=None)
        starts -= timedelta(minutes=starts.minute % 5, seconds=starts.second)
        alone = series.schedule(
            details=_series(
                "individual", "Individual session", "Sesión individual", starts, 50, zone.key, None,
                rrule="FREQ=WEEKLY;COUNT=1",
            ),
            at=at,
        ).id  # fmt: skip
    with db.transaction(db.SYSTEM):
        members.join(series_id=alone, patient_id=patient_id, at=at)


def _known(title: str) -> bool:
    with db.transaction(db.SYSTEM) as session:
        return bool(session.scalar(sa.select(sa.exists().where(SessionSeries.title == title))))


def _series(
    kind: str, title: str, spanish: str, starts: datetime, minutes: int, zone: str, place_id: UUID | None, *, rrule: str
) -> dict[str, Any]:
    return {
        "kind": kind,
        "title": title,
        "title_es": spanish,
        "modality": "in_person" if place_id else "telehealth",
        "facilitator": "R. Example",
        "location_id": place_id,
        "room": "2" if place_id else None,
        "join_url": None if place_id else LINK,
        "program_slug": "iop",
        "time_zone": zone,
        "first_starts_local": starts,
        "duration_minutes": minutes,
        "rrule": rrule,
    }


def _app_session(patient_id: UUID) -> UUID:
    """The demo phone's app session: the open one, else a new one."""
    with db.transaction(db.Caller(kind="patient", patient_id=patient_id)) as session:
        standing = sa.select(AppSession.id).where(
            AppSession.client_id == config.DEMO_APP,
            AppSession.ended_at.is_(None),
            AppSession.expires_at > sa.func.now() + timedelta(days=1),
        )
        return (
            session.scalar(standing.limit(1))
            or access.open_app_session(patient_id=patient_id, client_id=config.DEMO_APP).id
        )


def _write(file: Path, token: str) -> None:
    """Whole or not at all: a reader never sees half a token."""
    fresh = file.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(token)
    fresh.rename(file)
