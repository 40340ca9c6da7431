"""App sessions, what patients sign in with, attempts to, and API clients."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from api import db

Texts = sa.ARRAY(sa.Text)
PARTNER_KIND = (
    "CASE kind WHEN 'partner' THEN partner_kind IS NOT NULL"
    " AND partner_kind IN ('treating_provider', 'criminal_justice', 'other') ELSE partner_kind IS NULL END"
)


class AppSession(db.Base):
    """A signed-in phone. It stands while `ended_at` is empty and `expires_at` lies ahead by the database's clock.

    A phone is known by the thumbprint of its DPoP key, None where it signed in without one; a patient has one open
    session per key. `acr`, `amr` and `authenticated_at` tell how and when the patient last proved who they are.
    """

    __tablename__ = "app_sessions"
    __table_args__ = (
        sa.Index(
            "uq_app_sessions_patient_id_key_thumbprint",
            "patient_id",
            "key_thumbprint",
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL AND key_thumbprint IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    client_id: Mapped[str | None]
    key_thumbprint: Mapped[str | None]
    device_name: Mapped[str | None]
    scopes: Mapped[list[str] | None] = mapped_column(Texts)
    acr: Mapped[str | None]
    amr: Mapped[list[str] | None] = mapped_column(Texts)
    authenticated_at: Mapped[datetime | None]
    seen_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    passkey_id: Mapped[UUID | None]


class RefreshToken(db.Base):
    """One link of an app session's lineage: `used_at` is when it was first exchanged for a successor.

    A retired one, and one whose successor was used, must never come again (RFC 9700 §4.14.2).
    """

    __tablename__ = "refresh_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    app_session_id: Mapped[UUID] = mapped_column(sa.ForeignKey("app_sessions.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"))
    hash: Mapped[bytes] = mapped_column(unique=True)
    parent_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("refresh_tokens.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    used_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]


class ActivationCode(db.Base):
    """An invitation from the clinic, in two forms: typed (a selector that finds it and a secret kept as an argon2
    hash) and a link of 128 bits (kept as SHA-256). Used once, ended by a later one, burnt by five wrong secrets."""

    __tablename__ = "activation_codes"
    __table_args__ = (sa.CheckConstraint("handed_over IN ('in_person', 'post', 'email', 'sms')", name="handed_over"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), index=True)
    selector_hash: Mapped[bytes] = mapped_column(unique=True)
    secret_hash: Mapped[str]
    link_hash: Mapped[bytes] = mapped_column(unique=True)
    handed_over: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    wrong_tries: Mapped[int] = mapped_column(server_default="0")
    used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class SignInAccount(db.Base):
    """What a patient signs in with beside passkeys. The name is kept as a blind index alone; `totp_last_step` is the
    last time step whose code was taken (RFC 6238 §5.2: once only)."""

    __tablename__ = "sign_in_accounts"

    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), primary_key=True)
    user_handle: Mapped[bytes] = mapped_column(unique=True)
    name_index: Mapped[bytes | None] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    password_set_at: Mapped[datetime | None]
    totp_secret: Mapped[bytes | None]
    totp_last_step: Mapped[int | None] = mapped_column(sa.BigInteger)
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class Passkey(db.Base):
    """A WebAuthn credential of a patient (W3C WebAuthn Level 3 §4); `name` is what the patient calls it."""

    __tablename__ = "passkeys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(sa.BigInteger)
    transports: Mapped[list[str]] = mapped_column(Texts)
    backup_eligible: Mapped[bool]
    backed_up: Mapped[bool]
    name: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    last_used_at: Mapped[datetime | None]


class PasskeyOffer(db.Base):
    """The challenge of a passkey that a signed-in patient is about to add; gone once it is answered."""

    __tablename__ = "passkey_offers"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), index=True)
    challenge: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)


class SignIn(db.Base):
    """One attempt to sign in, from the first challenge to the tokens (OAuth for First-Party Apps §5).

    It is held by its `auth_session`, and then by its authorization code, both kept as SHA-256. `challenge` is that of
    WebAuthn. Whose it is stands in it from an activation code on, else from the moment that the proof was right.
    """

    __tablename__ = "sign_ins"
    __table_args__ = (sa.Index("ix_sign_ins_expires_at", "expires_at", postgresql_where=sa.text("code_hash IS NULL")),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    session_hash: Mapped[bytes] = mapped_column(unique=True)
    client_id: Mapped[str]
    key_thumbprint: Mapped[str | None]
    scopes: Mapped[list[str]] = mapped_column(Texts)
    code_challenge: Mapped[str | None]
    acr_values: Mapped[str | None]
    device_name: Mapped[str | None]
    challenge: Mapped[bytes]
    tries: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)
    expires_at: Mapped[datetime]
    patient_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("patients.id"), index=True)
    activation_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("activation_codes.id"), index=True)
    user_handle: Mapped[bytes | None]
    totp_secret: Mapped[bytes | None]
    acr: Mapped[str | None]
    amr: Mapped[list[str] | None] = mapped_column(Texts)
    passkey_id: Mapped[UUID | None]
    authenticated_at: Mapped[datetime | None]
    code_hash: Mapped[bytes | None] = mapped_column(unique=True)
    code_expires_at: Mapped[datetime | None]
    code_used_at: Mapped[datetime | None]
    app_session_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("app_sessions.id"), index=True)


class ApiClient(db.Base):
    """A system with credentials of its own. `kind` is partner or clinic; a suspended one is refused at once.

    `partner_kind` is what the clinic has verified a partner to be: consents to a class of recipients (42 CFR
    2.31(a)(4)) and those for criminal justice (§2.35) rest on it. `contact_email` is who looks after it there. Only the
    database's owner writes these: no operation of the API can register a client or widen one.
    """

    __tablename__ = "api_clients"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('partner', 'clinic')", name="kind"),
        sa.CheckConstraint("status IN ('active', 'suspended')", name="status"),
        sa.CheckConstraint(PARTNER_KIND, name="partner_kind"),
        sa.CheckConstraint("assertion_audience IN ('issuer', 'token_endpoint')", name="assertion_audience"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(Texts)
    status: Mapped[str] = mapped_column(server_default="active")
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    assertion_audience: Mapped[str] = mapped_column(server_default="issuer")
    jwks_url: Mapped[str | None]
    partner_kind: Mapped[str | None]
    contact_email: Mapped[str | None]


class ClientKey(db.Base):
    """A public key of a client as a JWK; after `retires_at` it signs nothing any more, so that two may overlap."""

    __tablename__ = "client_keys"

    client_id: Mapped[UUID] = mapped_column(sa.ForeignKey("api_clients.id"), primary_key=True)
    kid: Mapped[str] = mapped_column(primary_key=True)
    jwk: Mapped[dict[str, Any]] = mapped_column(JSONB)
    added_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    retires_at: Mapped[datetime | None]


class RevokedToken(db.Base):
    """A client's access token that was revoked before its end; `id` is made of its `jti`."""

    __tablename__ = "revoked_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID] = mapped_column(sa.ForeignKey("api_clients.id"))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SpentAssertion(db.Base):
    """A client assertion that was seen (RFC 7523 §3); `id` is a hash of the client and its `jti`."""

    __tablename__ = "spent_assertions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    spent_at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)


class ThrottleWindow(db.Base):
    """How often a secret was guessed at in one window; `key` is a hash of what is counted."""

    __tablename__ = "throttle_windows"

    key: Mapped[bytes] = mapped_column(primary_key=True)
    hits: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class KnownPhone(db.Base):
    """A phone that has signed in under a name before; `hash` is a keyed hash of both. Guesses of others' phones spend
    none of its tries."""

    __tablename__ = "known_phones"

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)
