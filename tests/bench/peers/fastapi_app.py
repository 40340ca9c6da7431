"""FastAPI, asyncpg and pydantic v2, as their documentation teaches them: rows in, models out."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import asyncpg
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from tests.bench.peers import verifying

LEAD, LINK_LEAD = timedelta(minutes=30), timedelta(minutes=15)
PRESENCE = {"present": "attended", "absent": "missed", "excused": "excused"}
SESSIONS = """
SELECT s.id, s.kind, coalesce(CASE WHEN p.language = 'es' THEN s.title_es END, s.title) AS title, s.status,
  a.starts_at, a.ends_at, s.time_zone, s.modality, s.facilitator, s.location_id, s.room,
  s.join_url, a.makes_up_for, a.reply, a.reply_reason, a.reply_starts_at, a.replied_at, a.late_cancellation,
  a.asks_to_move, a.arrived_at, a.arrival_way, a.arrival_confirmed, a.mark, a.minutes, a.came_at, a.left_at, a.marked_at
FROM attendances a JOIN care_sessions s ON s.id = a.session_id JOIN patients p ON p.id = a.patient_id
WHERE a.patient_id = $1 AND a.status = 'booked' AND a.starts_at >= $2 AND a.starts_at < $3
ORDER BY a.starts_at, a.session_id LIMIT 20
"""
INSERT = """
INSERT INTO check_ins (patient_id, id, instrument, instrument_version, answers, complete, safety, flags,
  occurred_at, told_at, sent_at, received_at, version)
VALUES ($1, $2, $3, $4, $5, false, false, '{}', $6, $6, $7, $8, 1)
"""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.pool = await asyncpg.create_pool(os.environ["DSN"], min_size=8, max_size=8)
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


async def me(authorization: Annotated[str | None, Header()] = None) -> UUID:
    try:
        return verifying.patient_id(authorization)
    except verifying.Refused as error:
        raise HTTPException(401, "unauthorized", {"WWW-Authenticate": "Bearer"}) from error


Me = Annotated[UUID, Depends(me)]


class Reply(BaseModel):
    reply: Literal["attending", "not_attending"]
    reason: str | None = None
    starts_at: datetime
    replied_at: datetime
    late: bool
    late_cancellation: bool
    asks_to_move: bool


class Arrival(BaseModel):
    placement: Literal["in_window", "outside_window"]
    arrived_at: datetime
    way: Literal["checked_in", "joined"]
    confirmed: bool


class Attended(BaseModel):
    mark: Literal["present", "absent", "excused"]
    minutes: int | None = None
    arrived_at: datetime | None = None
    left_at: datetime | None = None
    marked_at: datetime


class Presence(BaseModel):
    status: Literal["attended", "missed", "excused", "attested", "expected"]
    rests_on: Literal["clinic", "patient", "nothing"]


class Session(BaseModel):
    id: UUID
    kind: Literal["group", "individual"]
    title: str
    status: Literal["scheduled", "cancelled"]
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    modality: Literal["in_person", "telehealth", "hybrid"]
    facilitator: str | None = None
    location_id: UUID | None = None
    room: str | None = None
    check_in_opens_at: datetime
    check_in_closes_at: datetime
    join_opens_at: datetime | None = None
    makes_up_for: UUID | None = None
    reply: Reply | None = None
    arrival: Arrival | None = None
    attendance: Attended | None = None
    presence: Presence


class SessionList(BaseModel):
    items: list[Session]


@app.get("/v1/me/sessions", response_model=SessionList, response_model_exclude_none=True)
async def sessions(request: Request, patient_id: Me) -> Any:
    since = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    rows = await request.app.state.pool.fetch(SESSIONS, patient_id, since, since + timedelta(days=29))
    return {"items": [shown(row) for row in rows]}


def shown(row: asyncpg.Record) -> dict[str, Any]:
    opens_at = row["starts_at"] - LEAD
    session = {**row, "check_in_opens_at": opens_at, "check_in_closes_at": row["ends_at"], "reply": None}
    if row["join_url"] and row["modality"] != "in_person":
        session["join_opens_at"] = row["starts_at"] - LINK_LEAD
    follows = row["reply"] == "not_attending" and not row["asks_to_move"]
    if follows or (row["reply"] and row["reply_starts_at"] == row["starts_at"]):
        session["reply"] = {
            "reply": row["reply"],
            "reason": row["reply_reason"],
            "starts_at": row["reply_starts_at"],
            "replied_at": row["replied_at"],
            "late": row["replied_at"] >= row["starts_at"],
            "late_cancellation": row["late_cancellation"],
            "asks_to_move": row["asks_to_move"],
        }
    inside = row["arrived_at"] is not None and opens_at <= row["arrived_at"] <= row["ends_at"]
    if row["arrived_at"]:
        session["arrival"] = {
            "placement": "in_window" if inside else "outside_window",
            "arrived_at": row["arrived_at"],
            "way": row["arrival_way"] or "checked_in",
            "confirmed": row["arrival_confirmed"],
        }
    if row["mark"]:
        session["attendance"] = {
            "mark": row["mark"],
            "minutes": row["minutes"],
            "arrived_at": row["came_at"],
            "left_at": row["left_at"],
            "marked_at": row["marked_at"],
        }
    session["presence"] = present(row["mark"], inside)
    return session


def present(mark: str | None, inside: bool) -> dict[str, str]:
    if mark:
        return {"status": PRESENCE[mark], "rests_on": "clinic"}
    if inside:
        return {"status": "attested", "rests_on": "patient"}
    return {"status": "expected", "rests_on": "nothing"}


class Given(BaseModel):
    model_config = ConfigDict(extra="forbid")

    item: str = Field(max_length=60)
    number: int | None = Field(None, ge=0, le=1000)
    choice: str | None = Field(None, max_length=60)
    text: str | None = Field(None, max_length=1000)


class CheckInAsk(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: UUID
    instrument: Literal["daily", "phq-9"]
    instrument_version: str = Field(max_length=20)
    answers: list[Given] = Field(max_length=50)
    occurred_at: datetime
    sent_at: datetime


class CheckIn(BaseModel):
    id: UUID
    instrument: str
    instrument_version: str
    answers: list[Given]
    occurred_at: datetime
    received_at: datetime


@app.post("/v1/me/check-ins", response_model=CheckIn, response_model_exclude_none=True, status_code=201)
async def check_in(request: Request, patient_id: Me, said: CheckInAsk) -> Any:
    answers = json.dumps([given.model_dump(exclude_none=True) for given in said.answers])
    received_at = datetime.now(UTC).replace(microsecond=0)
    await request.app.state.pool.execute(
        INSERT, patient_id, said.id, said.instrument, said.instrument_version, answers, said.occurred_at, said.sent_at,
        received_at,
    )  # fmt: skip
    return {**said.model_dump(), "received_at": received_at}
