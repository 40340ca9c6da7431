"""Endpoints, events and deliveries."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from api import db, safekeeping


class Endpoint(db.Base):
    """Where a partner's system listens. It is `pending` until it has echoed a challenge, and `disabled` when it said
    that it is gone (410) or failed for days.

    `secret_made_by` is a hash of the Idempotency-Key of the request that the current secret was shown to: that very
    request, repeated, is shown it again. `busy_until` and `busy_by` are the lease of whoever is making an attempt, and
    before `not_before` none is made; both by the database's clock.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        sa.CheckConstraint("status IN ('pending', 'active', 'disabled')", name="status"),
        sa.CheckConstraint("disabled_reason IN ('gone', 'failing')", name="disabled_reason"),
        sa.CheckConstraint("(status = 'disabled') = (disabled_reason IS NOT NULL)", name="disabled_with_reason"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    client_id: Mapped[UUID] = mapped_column(sa.ForeignKey("api_clients.id"), index=True)
    url: Mapped[str]
    description: Mapped[str | None]
    event_types: Mapped[list[str]] = mapped_column(sa.ARRAY(sa.Text))
    status: Mapped[str] = mapped_column(server_default="pending")
    disabled_reason: Mapped[str | None]
    disabled_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    secret: Mapped[bytes]
    secret_made_by: Mapped[bytes]
    old_secret: Mapped[bytes | None]
    old_secret_until: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(sa.BigInteger, server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    changed_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    last_success_at: Mapped[datetime | None]
    busy_until: Mapped[datetime | None]
    busy_by: Mapped[UUID | None]
    not_before: Mapped[datetime | None]


SECRET = safekeeping.register(Endpoint.secret, row=Endpoint.id)
OLD_SECRET = safekeeping.register(Endpoint.old_secret, row=Endpoint.id)


class WebhookEvent(db.Base):
    """Something that became true of `subject_id`; `id` is the `webhook-id` of every attempt to tell it. `check_name`:
    what is asked before each attempt, None where the event is the partner's own doing."""

    __tablename__ = "webhook_events"
    __table_args__ = (sa.Index("ix_webhook_events_client_id_created_at", "client_id", "created_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    client_id: Mapped[UUID] = mapped_column(sa.ForeignKey("api_clients.id"))
    type: Mapped[str]
    subject_id: Mapped[UUID]
    version: Mapped[int] = mapped_column(sa.BigInteger)
    occurred_at: Mapped[datetime]
    check_name: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)


class WebhookDelivery(db.Base):
    """An event on its way to an endpoint. `attempts` counts those made since it was last put in; `last_status` is what
    the receiver answered, `last_problem` why there was no answer, or none that counts."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        sa.UniqueConstraint("endpoint_id", "event_id"),
        sa.CheckConstraint("state IN ('pending', 'delivered', 'failed', 'dropped')", name="state"),
        sa.Index(
            "ix_webhook_deliveries_due",
            "endpoint_id",
            "next_attempt_at",
            "event_id",
            postgresql_where=sa.text("state = 'pending'"),
        ),
        sa.Index("ix_webhook_deliveries_endpoint_id_created_at", "endpoint_id", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    endpoint_id: Mapped[UUID] = mapped_column(sa.ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    event_id: Mapped[UUID] = mapped_column(sa.ForeignKey("webhook_events.id", ondelete="CASCADE"), index=True)
    client_id: Mapped[UUID] = mapped_column(sa.ForeignKey("api_clients.id"))
    checked: Mapped[bool] = mapped_column(server_default=sa.false())
    challenge: Mapped[bool] = mapped_column(server_default=sa.false())
    state: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    last_attempt_at: Mapped[datetime | None]
    last_status: Mapped[int | None]
    last_problem: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
