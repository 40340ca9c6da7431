"""A partner's endpoints: registered, proven by a challenge, changed, and their secrets rotated.

A secret is told once, and to the request that made it when that is repeated under its Idempotency-Key. It must be read
again to sign, so it is kept sealed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, outward, safekeeping
from api.webhooks import service, signing
from api.webhooks.models import OLD_SECRET, SECRET, Endpoint, WebhookDelivery, WebhookEvent

MOST = 10
MOST_CHALLENGES = 30
CHALLENGE = "endpoint.verification"


class TooManyWebhookEndpoints(errors.Conflict):
    title = "Too many webhook endpoints"
    detail = f"There can be {MOST} webhook endpoints at a time. Remove one that is no longer used."
    title_es = "Demasiados destinos de avisos"
    detail_es = f"Puede haber {MOST} destinos de avisos a la vez. Elimine uno que ya no se use."


class UnusableWebhookAddress(errors.Unprocessable):
    """An address that somebody else names must not lead into a house, ours or another's (ASVS 5.0 1.3.6)."""

    title = "This address cannot be told anything"
    detail = "Give an https address with a public host name, on port 443, without a user name or a fragment."
    title_es = "No se puede avisar a esta dirección"
    detail_es = "Indique una dirección https con un nombre público, en el puerto 443, sin usuario ni fragmento."


class TooManyChallenges(errors.TooManyRequests):
    """Challenges go to addresses that nobody has vouched for yet."""

    title = "Too many verifications"
    detail = f"At most {MOST_CHALLENGES} verifications are sent in an hour. Please wait before asking for more."
    title_es = "Demasiadas verificaciones"
    detail_es = f"Se envían como máximo {MOST_CHALLENGES} verificaciones por hora. Espere antes de pedir más."


@dataclass(frozen=True, slots=True)
class Told:
    """An endpoint with the secret that was made for it; None where it is not told again."""

    endpoint: Endpoint
    secret: str | None = field(repr=False)


def create(
    *, client_id: UUID, url: str, event_types: Sequence[str], description: str | None, key: str, at: datetime
) -> Told:
    """A new endpoint, pending until it echoes the challenge that is sent now; `key` is the Idempotency-Key. Raises
    `UnusableWebhookAddress`, `TooManyWebhookEndpoints`, `TooManyChallenges`."""
    _refuse_unusable(url)
    _one_at_a_time(client_id)
    if len(listed(client_id=client_id)) >= MOST:
        raise TooManyWebhookEndpoints
    endpoint_id, secret = db.uuid7(), signing.new_secret()
    endpoint = Endpoint(
        id=endpoint_id,
        client_id=client_id,
        url=url,
        event_types=_distinct(event_types),
        description=description,
        secret=safekeeping.seal(secret, place=SECRET, row=endpoint_id),
        secret_made_by=_hash(key),
        created_at=at,
        changed_at=at,
    )
    db.session().add(endpoint)
    db.session().flush()
    db.session().refresh(endpoint)
    _challenge(endpoint, at)
    return Told(endpoint, signing.shown(secret))


def again(*, client_id: UUID, endpoint_id: UUID, key: str) -> Told:
    """What the request that made the endpoint, or its secret, was answered. Raises `errors.NotFound`."""
    endpoint = get(client_id=client_id, endpoint_id=endpoint_id)
    if endpoint.secret_made_by != _hash(key):
        return Told(endpoint, None)
    return Told(endpoint, signing.shown(safekeeping.unseal(endpoint.secret, place=SECRET, row=endpoint.id)))


def listed(*, client_id: UUID) -> Sequence[Endpoint]:
    """The partner's endpoints, the oldest first."""
    own = sa.select(Endpoint).where(Endpoint.client_id == client_id)
    return db.session().scalars(own.order_by(Endpoint.created_at, Endpoint.id)).all()


def get(*, client_id: UUID, endpoint_id: UUID) -> Endpoint:
    """Raises `errors.NotFound`."""
    return _found(sa.select(Endpoint), client_id, endpoint_id)


def replace(
    *,
    client_id: UUID,
    endpoint_id: UUID,
    url: str,
    event_types: Sequence[str],
    description: str | None,
    expected: int | None,
    at: datetime,
) -> Endpoint:
    """Change what is wanted and where; another address must echo a challenge before it is told anything. Raises
    `errors.NotFound`, `errors.PreconditionFailed`, `UnusableWebhookAddress`, `TooManyChallenges`."""
    endpoint = locked(client_id=client_id, endpoint_id=endpoint_id)
    if expected not in (None, endpoint.version):
        raise errors.PreconditionFailed
    moved = url != endpoint.url
    if moved:
        _refuse_unusable(url)
    _change(endpoint, at, url=url, event_types=_distinct(event_types), description=description)
    if moved:
        _begin_again(endpoint, at)
    return endpoint


def delete(*, client_id: UUID, endpoint_id: UUID) -> None:
    """Tell it nothing more, and forget its log. Raises `errors.NotFound`."""
    gone = sa.delete(Endpoint).where(Endpoint.id == endpoint_id, Endpoint.client_id == client_id)
    if db.session().scalar(gone.returning(Endpoint.id)) is None:
        raise errors.NotFound


def verify(*, client_id: UUID, endpoint_id: UUID, at: datetime) -> Endpoint:
    """Send a challenge again, to one that is pending or was disabled; one that is active stays so. Raises
    `errors.NotFound`, `TooManyChallenges`."""
    endpoint = locked(client_id=client_id, endpoint_id=endpoint_id)
    if endpoint.status != "active":
        _begin_again(endpoint, at)
    return endpoint


def rotate(*, client_id: UUID, endpoint_id: UUID, overlap: timedelta, key: str, at: datetime) -> Told:
    """A new secret. The old one signs beside it for `overlap`, by the database's clock. Raises `errors.NotFound`."""
    endpoint = locked(client_id=client_id, endpoint_id=endpoint_id)
    old = safekeeping.unseal(endpoint.secret, place=SECRET, row=endpoint.id)
    secret = signing.new_secret()
    _change(
        endpoint,
        at,
        secret=safekeeping.seal(secret, place=SECRET, row=endpoint.id),
        secret_made_by=_hash(key),
        old_secret=safekeeping.seal(old, place=OLD_SECRET, row=endpoint.id) if overlap else None,
        old_secret_until=sa.func.now() + overlap if overlap else None,
    )
    return Told(endpoint, signing.shown(secret))


def locked(*, client_id: UUID, endpoint_id: UUID) -> Endpoint:
    """Raises `errors.NotFound`."""
    return _found(sa.select(Endpoint).with_for_update(), client_id, endpoint_id)


def _found(select: sa.Select[Endpoint], client_id: UUID, endpoint_id: UUID) -> Endpoint:
    own = select.where(Endpoint.id == endpoint_id, Endpoint.client_id == client_id)
    endpoint = db.session().scalar(own.execution_options(populate_existing=True))
    if endpoint is None:
        raise errors.NotFound
    return endpoint


def _change(endpoint: Endpoint, at: datetime, **values: Any) -> None:
    changed = sa.update(Endpoint).where(Endpoint.id == endpoint.id)
    db.session().execute(changed.values(version=Endpoint.version + 1, changed_at=at, **values))
    db.session().refresh(endpoint)


def _begin_again(endpoint: Endpoint, at: datetime) -> None:
    """Pending, with one fresh challenge under way instead of any before, and held back by nothing before."""
    _one_at_a_time(endpoint.client_id)
    earlier = sa.update(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.challenge)
    db.session().execute(earlier.where(WebhookDelivery.state == "pending").values(state="failed"))
    if endpoint.status != "pending":
        fresh = {"status": "pending", "verified_at": None, "disabled_reason": None, "disabled_at": None}
        _change(endpoint, at, **fresh)
    db.session().execute(sa.update(Endpoint).where(Endpoint.id == endpoint.id).values(not_before=None))
    _challenge(endpoint, at)


def _challenge(endpoint: Endpoint, at: datetime) -> None:
    recent = sa.select(sa.func.count()).where(
        WebhookEvent.client_id == endpoint.client_id,
        WebhookEvent.type == CHALLENGE,
        WebhookEvent.created_at > sa.func.now() - timedelta(hours=1),
    )
    if (db.session().scalar(recent) or 0) >= MOST_CHALLENGES:
        raise TooManyChallenges
    service.announce(
        client_id=endpoint.client_id,
        type=CHALLENGE,
        subject_id=endpoint.id,
        version=endpoint.version,
        occurred_at=at,
        endpoint_id=endpoint.id,
    )


def _one_at_a_time(client_id: UUID) -> None:
    """Nobody else counts this partner's endpoints and challenges until the transaction ends: two requests at once would
    each find room for one. It asks for no right to change the client, as a row's lock would."""
    key = hashlib.sha256(b"webhook endpoints of " + client_id.bytes).digest()[:8]
    db.session().execute(sa.select(sa.func.pg_advisory_xact_lock(int.from_bytes(key, "big", signed=True))))


def _refuse_unusable(url: str) -> None:
    if outward.current().problem(url):
        raise UnusableWebhookAddress


def _distinct(event_types: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(event_types))


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
