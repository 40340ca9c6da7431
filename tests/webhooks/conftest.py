"""Partners with endpoints, receivers on this machine, and the worker's jobs run in this process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from api import config, db, outward, vocabulary, worker
from api.app import Continuum
from api.webhooks import service
from api.webhooks import worker as webhooks
from tests.conftest import add_client
from tests.knocking import Knocker
from tests.webhooks.receiver import Receiver

PATH = "/v1/partner/webhook-endpoints"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
WANTED = ["referral.received", "referral.updated"]


def partner_named(app: Continuum, superuser: psycopg.Connection[Any], name: str) -> Knocker:
    client = add_client(superuser, kind="partner", name=name, scopes=vocabulary.PARTNER_SCOPES)
    token = app.extensions["tokens"].issue(
        kind="partner", subject=client, client_id=str(client), scopes=vocabulary.PARTNER_SCOPES
    )
    return Knocker(app, {"Authorization": f"Bearer {token}"}, id=client)


@pytest.fixture
def partner(app: Continuum, superuser: psycopg.Connection[Any]) -> Knocker:
    return partner_named(app, superuser, "North Hospital")


@pytest.fixture
def other_partner(app: Continuum, superuser: psycopg.Connection[Any]) -> Knocker:
    return partner_named(app, superuser, "South Hospital")


@pytest.fixture
def receivers(app: Continuum) -> Iterator[Callable[[], Receiver]]:
    """Makes receivers, each listed as one of development's."""
    made: list[Receiver] = []
    before = outward.current()

    def make() -> Receiver:
        made.append(Receiver())
        outward.use(outward.Outward(listed=[one.url for one in made]))
        return made[-1]

    yield make
    for one in made:
        one.close()
    webhooks.senders.wait()
    outward.use(before)


@pytest.fixture
def receiver(receivers: Callable[[], Receiver]) -> Receiver:
    return receivers()


@pytest.fixture
def work(settings: config.Config, superuser: psycopg.Connection[Any]) -> Iterator[Callable[[], None]]:
    """Runs the jobs that are due, until none is."""

    def run() -> None:
        worker.drain(settings.database_url)
        webhooks.senders.wait()
        worker.drain(settings.database_url)
        webhooks.senders.wait()

    yield run
    superuser.execute("DELETE FROM jobs.procrastinate_jobs")


@pytest.fixture
def due(superuser: psycopg.Connection[Any]) -> Callable[[], None]:
    """Lets all that waits for a later time be due now."""

    def hurry() -> None:
        superuser.execute("UPDATE webhook_deliveries SET next_attempt_at = now() WHERE state = 'pending'")
        superuser.execute("UPDATE webhook_endpoints SET not_before = NULL")
        superuser.execute("UPDATE jobs.procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")

    return hurry


@dataclass(frozen=True)
class Endpoint:
    """An active endpoint and what its partner knows of it."""

    id: UUID
    secret: str
    path: str


@pytest.fixture
def open_endpoint(work: Callable[[], None]) -> Callable[..., Endpoint]:
    """Registers an endpoint and has it echo its challenge."""

    def make(partner: Knocker, url: str, **asked: Any) -> Endpoint:
        said = partner.post(PATH, json={"url": url, "event_types": WANTED, **asked})
        assert said.status_code == 201, said.text
        work()
        assert partner.get(f"{PATH}/{said.json['id']}").json["status"] == "active"
        return Endpoint(UUID(said.json["id"]), said.json["secret"], f"{PATH}/{said.json['id']}")

    return make


@pytest.fixture
def endpoint(partner: Knocker, receiver: Receiver, open_endpoint: Callable[..., Endpoint]) -> Endpoint:
    return open_endpoint(partner, receiver.url)


@pytest.fixture
def announce(partner: Knocker) -> Callable[..., UUID]:
    """Announces to the partner, as the clinic; gives the event's id."""

    def say(type: str = "referral.received", caller: db.Caller = db.SYSTEM, **said: Any) -> UUID:
        with db.transaction(caller):
            return service.announce(
                **{
                    "client_id": partner.id,
                    "type": type,
                    "subject_id": db.uuid7(),
                    "version": 1,
                    "occurred_at": NOON,
                    **said,
                }
            )

    return say
