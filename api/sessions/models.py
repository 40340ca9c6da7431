"""Tables of the sessions slice. What a patient said, and what the clinic recorded, are rows that are only ever added;
``attendances`` holds what stands now."""

from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from api import db, vocabulary

# The clinic's rule: "I am here" may be said from half an hour before the start until the end.
CHECK_IN_LEAD = timedelta(minutes=30)
# The clinic's rule: the link of a telehealth session opens a quarter of an hour before the start.
JOIN_LEAD = timedelta(minutes=15)
SECURE = "join_url LIKE 'https://%'"
PRESENCE_OF_MARK = {"present": "attended", "absent": "missed", "excused": "excused"}


def one_of(column: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    """A CHECK instead of an enum: enum comparison is not leakproof and loses indexes under row-level security."""
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


class Details:
    """What a series hands down to its sessions, and a session may have otherwise."""

    kind: Mapped[str]
    title: Mapped[str]
    title_es: Mapped[str | None]
    modality: Mapped[str]
    facilitator: Mapped[str | None]
    location_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("locations.id"))
    room: Mapped[str | None]
    program_slug: Mapped[str | None] = mapped_column(sa.ForeignKey("programs.slug"))
    time_zone: Mapped[str]
    join_url: Mapped[str | None]


class SessionSeries(Details, db.Base):
    """A weekly rule. ``first_starts_local`` is wall time in ``time_zone``.

    Sessions exist up to ``made_until``; it is None once all of them do. ``split_from_id`` is the series that this one
    goes on from, since "this and later" was changed. Without ``capacity`` the house's holds (see ``capacity``).
    """

    __tablename__ = "session_series"
    __table_args__ = (
        one_of("kind", vocabulary.SESSION_KINDS),
        one_of("modality", vocabulary.MODALITIES),
        sa.CheckConstraint("duration_minutes BETWEEN 5 AND 720", name="duration_minutes"),
        sa.CheckConstraint("capacity BETWEEN 1 AND 1000", name="capacity"),
        sa.CheckConstraint(SECURE, name="join_url"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    first_starts_local: Mapped[datetime] = mapped_column(sa.DateTime(timezone=False))
    duration_minutes: Mapped[int]
    rrule: Mapped[str]
    made_until: Mapped[datetime | None] = mapped_column(index=True)
    capacity: Mapped[int | None]
    split_from_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("session_series.id"), index=True)
    version: Mapped[int] = mapped_column(sa.BigInteger, default=1)


class SeriesMember(db.Base):
    """One stay of a patient in a series; who comes back has a further row. ``ended_by`` is the enrollment whose end
    ended the stay, so that taking that end back can begin it again."""

    __tablename__ = "series_members"
    __table_args__ = (
        sa.Index(
            "uq_series_members_current",
            "series_id",
            "patient_id",
            unique=True,
            postgresql_where=sa.text("left_at IS NULL"),
        ),
        sa.CheckConstraint("left_at >= joined_at", name="left_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    series_id: Mapped[UUID] = mapped_column(sa.ForeignKey("session_series.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), index=True)
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("enrollments.id"), index=True)


class CareSession(Details, db.Base):
    """One meeting. ``occurs_on`` is its local day by the series' rule and stays when it moves.

    ``revision`` rises with every move, cancellation and restoration: a reminder belongs to one revision. ``version``
    rises with every change, for If-Match. ``exception`` says it was changed on its own; its series then leaves it be.
    ``cancelled_by`` is the closure of its location that cancelled it, and whose end restores it. ``revised_at`` is when
    the revision rose last; the database sees to it.
    """

    __tablename__ = "care_sessions"
    __table_args__ = (
        sa.UniqueConstraint("series_id", "occurs_on"),
        sa.Index("ix_care_sessions_starts_at", "starts_at", "id"),
        sa.Index("ix_care_sessions_location_id_starts_at", "location_id", "starts_at"),
        one_of("kind", vocabulary.SESSION_KINDS),
        one_of("modality", vocabulary.MODALITIES),
        one_of("status", vocabulary.SESSION_STATUSES),
        sa.CheckConstraint("ends_at > starts_at", name="ends_at"),
        sa.CheckConstraint("cancelled_by IS NULL OR status = 'cancelled'", name="cancelled_by"),
        sa.CheckConstraint(SECURE, name="join_url"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    series_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("session_series.id"))
    occurs_on: Mapped[date | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(default="scheduled")
    cancelled_by: Mapped[UUID | None] = mapped_column(index=True)
    exception: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int] = mapped_column(default=1)
    revised_at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), deferred=True)
    version: Mapped[int] = mapped_column(sa.BigInteger, default=1)

    @property
    def check_in_opens_at(self) -> datetime:
        return self.starts_at - CHECK_IN_LEAD

    @property
    def check_in_closes_at(self) -> datetime:
        return self.ends_at

    @property
    def join_opens_at(self) -> datetime | None:
        """When the link can be opened; None where there is none to open."""
        linked = self.join_url is not None and self.modality != "in_person"
        return self.starts_at - JOIN_LEAD if linked else None

    @property
    def cancelled(self) -> bool:
        return self.status == "cancelled"

    def holds(self, instant: datetime) -> bool:
        """Whether being here at the instant is being at this session."""
        return self.check_in_opens_at <= instant <= self.check_in_closes_at


class Attendance(db.Base):
    """A patient's place in a session, with the reply, arrival and mark that stand.

    ``starts_at`` and ``ends_at`` repeat the session's, so that a patient's window is one index range. ``reply`` and
    ``arrived_at`` are what the patient said of the session as it was then; whether that still holds is asked of the
    row, never rewritten. The columns of the patient and those of the clinic are granted apart: neither can write the
    other's fact. ``released`` is a place that was taken away before the session began. ``came_at`` and ``left_at`` are
    the clinic's, for who came late or left early. A place that ``makes_up_for`` a missed session is for this one alone.
    """

    __tablename__ = "attendances"
    __table_args__ = (
        sa.Index("ix_attendances_patient_id_starts_at", "patient_id", "starts_at", "session_id"),
        # Without the patient, so that the policy of sessions asks the key, in which a patient's places lie together.
        sa.Index("ix_attendances_session_id", "session_id"),
        one_of("status", ("booked", "released")),
        one_of("reply", vocabulary.SESSION_REPLIES),
        one_of("mark", vocabulary.ATTENDANCE_MARKS),
        one_of("arrival_way", vocabulary.ARRIVAL_WAYS),
        sa.CheckConstraint("num_nulls(reply, reply_starts_at, replied_at) IN (0, 3)", name="reply_whole"),
        sa.CheckConstraint("NOT asks_to_move OR reply = 'not_attending'", name="asks_to_move"),
        sa.CheckConstraint("num_nulls(mark, marked_at) IN (0, 2)", name="mark_whole"),
        sa.CheckConstraint("(mark = 'present') = (minutes IS NOT NULL) OR mark IS NULL", name="minutes_of_presence"),
        sa.CheckConstraint("minutes BETWEEN 0 AND 720", name="minutes"),
        sa.CheckConstraint("left_at > came_at", name="left_at"),
        sa.ForeignKeyConstraint(["patient_id", "makes_up_for"], ["attendances.patient_id", "attendances.session_id"]),
        sa.Index(
            "ix_attendances_makes_up_for",
            "patient_id",
            "makes_up_for",
            postgresql_where=sa.text("makes_up_for IS NOT NULL"),
        ),
    )

    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), primary_key=True)
    session_id: Mapped[UUID] = mapped_column(sa.ForeignKey("care_sessions.id"), primary_key=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(default="booked")
    reply: Mapped[str | None]
    reply_reason: Mapped[str | None]
    reply_starts_at: Mapped[datetime | None]
    replied_at: Mapped[datetime | None]
    late_cancellation: Mapped[bool] = mapped_column(server_default=sa.false())
    asks_to_move: Mapped[bool] = mapped_column(server_default=sa.false())
    arrived_at: Mapped[datetime | None]
    arrival_way: Mapped[str | None]
    arrival_confirmed: Mapped[bool] = mapped_column(server_default=sa.false())
    mark: Mapped[str | None]
    minutes: Mapped[int | None]
    marked_at: Mapped[datetime | None]
    came_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    makes_up_for: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(sa.BigInteger)

    @property
    def reply_holds(self) -> bool:
        """A "no" holds whatever becomes of the session; a "yes" was said to one start and does not follow a move, and
        nor does a "no" that asks to move."""
        follows = self.reply == "not_attending" and not self.asks_to_move
        return follows or (self.reply is not None and self.reply_starts_at == self.starts_at)

    @property
    def arrived(self) -> bool:
        """Whether the patient said "I am here" inside the window of the session as it now stands."""
        arrived_at = self.arrived_at
        return arrived_at is not None and self.starts_at - CHECK_IN_LEAD <= arrived_at <= self.ends_at

    @property
    def presence(self) -> tuple[str, str]:
        """What the place comes to, and on whose word: the clinic's goes before the patient's."""
        if self.mark is not None:
            return PRESENCE_OF_MARK[self.mark], "clinic"
        return ("attested", "patient") if self.arrived else ("expected", "nothing")


def stays_away() -> sa.ColumnElement[bool]:
    """Whether a "no" that holds keeps the patient away, as a condition on places; see ``Attendance.reply_holds``."""
    unmoved = sa.or_(sa.not_(Attendance.asks_to_move), Attendance.reply_starts_at == Attendance.starts_at)
    return sa.and_(Attendance.reply.is_not_distinct_from("not_attending"), unmoved)


class SessionReply(db.Base):
    """One reply as it came, also one that a later one had already overtaken."""

    __tablename__ = "session_replies"
    __table_args__ = (
        sa.ForeignKeyConstraint(["patient_id", "session_id"], ["attendances.patient_id", "attendances.session_id"]),
        one_of("reply", vocabulary.SESSION_REPLIES),
        sa.CheckConstraint("NOT asks_to_move OR reply = 'not_attending'", name="asks_to_move"),
        sa.Index("ix_session_replies_patient_id", "patient_id", "session_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID]
    session_id: Mapped[UUID]
    reply: Mapped[str]
    reason: Mapped[str | None]
    starts_at: Mapped[datetime]
    late_cancellation: Mapped[bool] = mapped_column(server_default=sa.false())
    asks_to_move: Mapped[bool] = mapped_column(server_default=sa.false())
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]


class SessionArrival(db.Base):
    """One "I am here". ``claimed_at`` and ``sent_at`` are the phone's clock, ``occurred_at`` that by ours.

    The key is the rule "twice is once": one arrival inside and one outside the window for a session at a time, each
    once without and once with the right code of the room (``confirmed``).
    """

    __tablename__ = "session_arrivals"
    __table_args__ = (
        sa.ForeignKeyConstraint(["patient_id", "session_id"], ["attendances.patient_id", "attendances.session_id"]),
        sa.UniqueConstraint("patient_id", "session_id", "device_id", "confirmed"),
        one_of("way", vocabulary.ARRIVAL_WAYS),
        one_of("placement", vocabulary.ARRIVAL_PLACEMENTS),
    )

    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    placement: Mapped[str] = mapped_column(primary_key=True)
    confirmed: Mapped[bool] = mapped_column(primary_key=True, server_default=sa.false())
    way: Mapped[str] = mapped_column(server_default="checked_in")
    device_id: Mapped[UUID]
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]


class AttendanceMark(db.Base):
    """What the clinic recorded, by whom and when; a correction is a further row."""

    __tablename__ = "attendance_marks"
    __table_args__ = (
        sa.ForeignKeyConstraint(["patient_id", "session_id"], ["attendances.patient_id", "attendances.session_id"]),
        one_of("mark", vocabulary.ATTENDANCE_MARKS),
        sa.CheckConstraint("left_at > came_at", name="left_at"),
        sa.Index("ix_attendance_marks_patient_id", "patient_id", "session_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID]
    session_id: Mapped[UUID]
    mark: Mapped[str]
    minutes: Mapped[int | None]
    came_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    marked_at: Mapped[datetime]
    acting_user: Mapped[str]
    acting_role: Mapped[str]


class CalendarFeed(db.Base):
    """A private address for a calendar app. Of the secret in it only the hash is kept; ``salt`` is what the feed's ids
    of sessions are made with. One that was taken back is gone."""

    __tablename__ = "calendar_feeds"
    __table_args__ = (one_of("titles", vocabulary.FEED_TITLES),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), index=True)
    name: Mapped[str]
    titles: Mapped[str]
    secret_hash: Mapped[bytes] = mapped_column(unique=True)
    salt: Mapped[bytes]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(sa.BigInteger)
