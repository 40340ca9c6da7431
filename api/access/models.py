"""App sessions and API clients."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from api import db


class AppSession(db.Base):
    """A signed-in phone. It stands while `ended_at` is empty and `expires_at` lies ahead by the database's clock."""

    __tablename__ = "app_sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]


class ApiClient(db.Base):
    """A system with credentials of its own. `kind` is partner or clinic; a suspended one is refused at once."""

    __tablename__ = "api_clients"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('partner', 'clinic')", name="kind"),
        sa.CheckConstraint("status IN ('active', 'suspended')", name="status"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(sa.ARRAY(sa.Text))
    status: Mapped[str] = mapped_column(server_default="active")
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
