"""Private calendar feeds: an address under which a calendar app reads a patient's times, without signing in.

Whoever has the address has the feed (RFC 5545 calendars cannot send headers; ASVS 5.0 14.2.1 excepts no one else). So
it is 256 bits that are kept only as a hash, there may be one for each app, and each is taken back by itself. The secret
follows from the feed's id, the Idempotency-Key of the request that made it, and a key of the house: who repeats that
very request is told the address again, and nobody else, us included.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api import db, errors
from api.access import sealing
from api.patients import versions
from api.sessions.models import CalendarFeed

MOST = 20
SALT_BYTES = 16
WARNING = {
    "en": "Whoever has this address can read when your appointments are, without signing in. Calendar services copy "
    "what they read, and the rules that protect treatment records do not reach those copies. Add it only to a calendar "
    "that nobody else sees. You can take the address back here at any time. Calendars may take a day to catch up, so "
    "do not rely on one alone.",
    "es": "Quien tenga esta dirección puede leer cuándo son sus citas, sin iniciar sesión. Los servicios de calendario "
    "copian lo que leen, y las normas que protegen los registros de tratamiento no alcanzan a esas copias. Agréguela "
    "solo a un calendario que nadie más vea. Puede retirar la dirección aquí en cualquier momento. Los calendarios "
    "pueden tardar un día en actualizarse, así que no confíe solo en uno.",
}


class TooManyCalendarFeeds(errors.Conflict):
    title = "Too many calendar addresses"
    detail = f"There can be {MOST} calendar addresses at a time. Take one back that you no longer use."
    title_es = "Demasiadas direcciones de calendario"
    detail_es = f"Puede haber {MOST} direcciones de calendario a la vez. Retire una que ya no use."


@dataclass(frozen=True, slots=True)
class Made:
    """A feed with the secret of its address; None where it cannot be told again."""

    feed: CalendarFeed
    secret: str | None


def make(*, patient_id: UUID, name: str, titles: str, key: str, at: datetime) -> Made:
    """A new feed; `key` is the Idempotency-Key of the request. Raises `TooManyCalendarFeeds`."""
    stamp = versions.touch([patient_id]).get(patient_id)
    if stamp is None:
        raise errors.NotFound
    if len(listed(patient_id=patient_id)) >= MOST:
        raise TooManyCalendarFeeds
    feed_id = db.uuid7()
    secret = _secret(feed_id, key)
    feed = CalendarFeed(
        id=feed_id,
        patient_id=patient_id,
        name=name,
        titles=titles,
        secret_hash=hashed(secret),
        salt=secrets.token_bytes(SALT_BYTES),
        created_at=at,
        version=stamp,
    )
    db.session().add(feed)
    db.session().flush()
    return Made(feed, secret)


def again(*, patient_id: UUID, feed_id: UUID, key: str) -> Made:
    """What the request that made the feed was answered. Raises `errors.NotFound`, also for one taken back."""
    feed = db.session().scalar(_own(patient_id).where(CalendarFeed.id == feed_id))
    if feed is None:
        raise errors.NotFound
    secret = _secret(feed_id, key)
    return Made(feed, secret if hmac.compare_digest(hashed(secret), feed.secret_hash) else None)


def listed(*, patient_id: UUID) -> Sequence[CalendarFeed]:
    """The patient's feeds, the oldest first."""
    return db.session().scalars(_own(patient_id).order_by(CalendarFeed.id)).all()


def revoke(*, patient_id: UUID, feed_id: UUID) -> None:
    """Take the address back: from here on it is not there. Raises `errors.NotFound`."""
    versions.touch([patient_id])
    gone = (
        sa.delete(CalendarFeed)
        .where(CalendarFeed.id == feed_id, CalendarFeed.patient_id == patient_id)
        .returning(CalendarFeed.id)
    )
    if db.session().execute(gone).first() is None:
        raise errors.NotFound


def hashed(secret: str) -> bytes:
    """What is kept of a secret: it is random enough for a plain hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _own(patient_id: UUID) -> sa.Select[CalendarFeed]:
    return sa.select(CalendarFeed).where(CalendarFeed.patient_id == patient_id)


def _secret(feed_id: UUID, key: str) -> str:
    made = hmac.digest(sealing.key_for("calendar feeds"), feed_id.bytes + key.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()
