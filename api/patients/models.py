"""Patients and their versions."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from api import db

STATUSES = ("active", "suspended", "deceased", "merged")


class Patient(db.Base):
    """One person. `time_zone` and `language` are None until the app sets them: then the clinic's zone holds."""

    __tablename__ = "patients"
    __table_args__ = (sa.CheckConstraint(f"status IN {STATUSES}", name="status"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    external_id: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str] = mapped_column(server_default="active")
    preferred_name: Mapped[str | None]
    language: Mapped[str | None]
    time_zone: Mapped[str | None]
    discreet_label: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    preferences_version: Mapped[int] = mapped_column(sa.BigInteger, server_default="1")
    version: Mapped[int] = mapped_column(sa.BigInteger, server_default="1")


class PatientVersion(db.Base):
    """The number that every write to a patient's data raises; a narrow row, so that raising it is cheap. What a phone
    remembers from before `afresh_from` is no longer to be built upon."""

    __tablename__ = "patient_versions"

    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), primary_key=True)
    version: Mapped[int] = mapped_column(sa.BigInteger, server_default="1")
    afresh_from: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
