"""A worker process for the fault tests: works until it is killed."""

import random
import time
from datetime import datetime, timedelta
from pathlib import Path

from api import db, errors
from api.messages.gateway import Message, Outbox
from api.messages.post import Post
from api.reminders import worker

BATCH = 40
LEASE = timedelta(seconds=1)


class Unhurried(Outbox):
    """Takes a little while before and after it accepts, so that kills come at every instant."""

    def deliver(self, message: Message) -> str:
        time.sleep(random.uniform(0, 0.003))
        outcome = super().deliver(message)
        time.sleep(random.uniform(0, 0.003))
        return outcome


def work(url: str, outbox: Path, at: datetime) -> None:
    db.open_engine(url, pool=2, statement_timeout_ms=10_000)
    post = Post(house=Unhurried(outbox))
    while True:
        try:
            busy = worker.tick(at=at, post=post, most=BATCH, lease_length=LEASE)
        except errors.Unavailable:
            busy = None
        if not busy:
            time.sleep(0.05)
