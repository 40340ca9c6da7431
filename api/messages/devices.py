"""Push addresses of patients' phones and browsers: registered by the app, and forgotten on many people's word.

A patient has as many as phones; a phone has one owner, whoever signed in there last. An address goes when its app
session is ended (a trigger of the database, whoever ends it), when the provider says that it leads nowhere, when the
patient removes it, and after 270 days without a sign of it, when Android's tokens expire (domain.md §4.8). Ages are
counted by the database's clock: providers compare them with their own.
"""

import base64
import binascii
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

import orjson
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec

from api import carriers, db, errors, outward
from api.messages.gateway import Address
from api.messages.models import Device

MOST = 20
UNSEEN = "270 days"
BATCH = 1000
AUTH_BYTES = 16

_REGISTER = sa.text(
    "SELECT device_id FROM register_device(:id, :app_session_id, :provider, :environment, :target, :hash, :language,"
    " :most)"
).bindparams(sa.bindparam("id", type_=sa.Uuid), sa.bindparam("app_session_id", type_=sa.Uuid))
_UNSEEN = sa.text("""
    DELETE FROM devices WHERE last_seen_at < now() - CAST(:unseen AS interval) AND id IN (
        SELECT id FROM devices WHERE last_seen_at < now() - CAST(:unseen AS interval) LIMIT :most
    ) RETURNING id
""")


class UnknownPushService(errors.Unprocessable):
    """A browser may name any host; we push to those that browsers really use."""

    title = "This browser's push service is not known"
    detail = "Notifications cannot be sent to this browser. The app on a phone, texts and mail still work."
    title_es = "No se conoce el servicio de avisos de este navegador"
    detail_es = "No se pueden enviar avisos a este navegador. La aplicación, los mensajes y el correo sí funcionan."


class UnusablePushKeys(errors.Unprocessable):
    """Nothing can be encrypted for a subscription whose keys are none (RFC 8291 §2)."""

    title = "This browser's push keys cannot be used"
    detail = "The subscription's keys are not valid. Please subscribe again in the browser."
    title_es = "Las claves de avisos de este navegador no sirven"
    detail_es = "Las claves de la suscripción no son válidas. Suscríbase de nuevo en el navegador."


@dataclass(frozen=True, slots=True)
class Registration:
    """What an app asks for. `target` is the token, or the subscription as JSON; `hashed` what makes it the same one."""

    provider: str
    environment: str
    target: str = field(repr=False)
    hashed: bytes = field(repr=False)
    language: str | None


_web_push: carriers.WebPush | None = None


def use(web_push: carriers.WebPush | None) -> None:
    """Push to browsers by these settings from now on; None for no browser at all."""
    global _web_push
    _web_push = web_push


def of_phone(*, provider: str, token: str, environment: str, language: str | None) -> Registration:
    """The registration of an app at APNs or FCM."""
    return Registration(provider, environment, token, _hash(token), language)


def of_browser(*, endpoint: str, p256dh: str, auth: str, language: str | None) -> Registration:
    """The registration of a browser's subscription. Raises `UnknownPushService`, `UnusablePushKeys`."""
    if not may_be_pushed_to(endpoint):
        raise UnknownPushService
    _check_keys(p256dh, auth)
    subscription = {"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": auth}}
    return Registration("web_push", "production", orjson.dumps(subscription).decode(), _hash(endpoint), language)


def may_be_pushed_to(endpoint: str) -> bool:
    """Whether the endpoint is at a host of the list, as far as its text tells; what its name resolves to is judged at
    every push."""
    if _web_push is None or outward.current().problem(endpoint):
        return False
    return _web_push.serves(urlsplit(endpoint).hostname or "")


def register(*, patient_id: UUID, app_session_id: UUID, asked: Registration) -> Device:
    """The patient's device of this address: seen again, or new, whoever had it before. Of more than `MOST`, the one
    that was unseen longest goes. Raises `db.SignedOut` when the app session has ended meanwhile."""
    row = {
        "id": db.uuid7(),
        "app_session_id": app_session_id,
        "provider": asked.provider,
        "environment": asked.environment,
        "target": asked.target,
        "hash": asked.hashed,
        "language": asked.language,
        "most": MOST,
    }
    if (device_id := db.session().scalar(_REGISTER, row)) is None:
        raise db.SignedOut
    return db.session().scalars(_theirs(patient_id).where(Device.id == device_id)).one()


def mine(*, patient_id: UUID) -> Sequence[Device]:
    """The patient's devices, the one seen last first."""
    return db.session().scalars(_theirs(patient_id).order_by(Device.last_seen_at.desc(), Device.id.desc())).all()


def remove(*, patient_id: UUID, device_id: UUID) -> None:
    """Write to this device no more. Raises `errors.NotFound`."""
    theirs = sa.delete(Device).where(Device.id == device_id, Device.patient_id == patient_id)
    if db.session().scalar(theirs.returning(Device.id)) is None:
        raise errors.NotFound


def addresses_of(patient_ids: Collection[UUID]) -> dict[UUID, list[Address]]:
    """Where to push to these patients, the device seen last first; who has none is missing."""
    found: dict[UUID, list[Address]] = defaultdict(list)
    theirs = sa.select(Device).where(db.among(Device.patient_id, patient_ids))
    for device in db.session().scalars(theirs.order_by(Device.last_seen_at.desc(), Device.id.desc())):
        found[device.patient_id].append(_address(device))
    return dict(found)


def forget_dead(address_ids: Iterable[UUID], *, at: datetime) -> int:
    """Forget the devices of which their provider said at `at` that they lead nowhere; returns how many. One that was
    registered anew since stays."""
    dead = sa.delete(Device).where(Device.id.in_(list(address_ids)), Device.last_seen_at <= at)
    return len(db.session().scalars(dead.returning(Device.id)).all())


def forget_unseen() -> bool:
    """One turn of forgetting what was long unseen; whether more may be."""
    with db.transaction(db.WORKER) as session:
        return len(session.scalars(_UNSEEN, {"unseen": UNSEEN, "most": BATCH}).all()) == BATCH


def _theirs(patient_id: UUID) -> sa.Select[Device]:
    return sa.select(Device).where(Device.patient_id == patient_id).execution_options(populate_existing=True)


def _address(device: Device) -> Address:
    """`registered_at` is when the app last said that it stands: the provider's word about it may be older."""
    details = {"environment": device.environment} | ({"language": device.language} if device.language else {})
    return Address(device.id, "push", device.provider, device.target, device.last_seen_at, details)


def _hash(target: str) -> bytes:
    return hashlib.sha256(target.encode()).digest()


def _check_keys(p256dh: str, auth: str) -> None:
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _decoded(p256dh))
        if len(_decoded(auth)) == AUTH_BYTES:
            return
    except ValueError:
        pass
    raise UnusablePushKeys


def _decoded(text: str) -> bytes:
    """base64url with or without its padding. Raises `ValueError`."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError from error
