"""What `make timing` asks about referrals: whether the clock tells a partner whom the clinic knows, or how far it has
come. Each knock is made ready beforehand and timed by itself; the first of a flow is the one to be compared with."""

import itertools
import uuid
from collections.abc import Callable

import psycopg
from werkzeug.test import TestResponse

from api import vocabulary
from api.app import Continuum
from tests.conftest import add_client
from tests.knocking import Knocker
from tests.referrals import sending
from tests.referrals.sending import DONE, PATH, SENT, Sent, admit, refer

Knock = Callable[[], TestResponse]
KNOWN, UNKNOWN = ("Avery", "Example"), ("Oakly", "Unknown")
# By flow: what is compared with a referral that nobody has looked at, or a person whom nobody knows.
CAUSES: dict[str, tuple[str, ...]] = {
    "refer": ("known",),
    "referral": ("triaged", "admitted"),
    "not changed": ("triaged", "admitted"),
    "amend": ("triaged", "admitted"),
    "cancel": ("triaged", "admitted"),
}


class Partners:
    """A partner's system, a person whom the clinic knows by another partner, and referrals in each state."""

    def __init__(self, app: Continuum, owner: psycopg.Connection[tuple[object, ...]]) -> None:
        self._app, self._numbers = app, itertools.count()
        self.partner, other = (self._system(owner, name) for name in ("Unit A", "Unit B"))
        admit(refer(other), self._somebody())
        self.kept = {done: self._done(done) for done in DONE}

    def knock(self, flow: str, cause: str) -> Knock:
        """What is to be timed."""
        if flow == "refer":
            return self._referring(KNOWN if cause == "known" else UNKNOWN)
        done = "untouched" if cause == "nobody" else cause
        if flow == "cancel":
            referral = self._done(done)
            return lambda: referral.cancel(tag="*")
        return self._of_kept(flow, self.kept[done])

    def _of_kept(self, flow: str, referral: Sent) -> Knock:
        tag = referral.tag()
        knocks: dict[str, Knock] = {
            "referral": lambda: referral.read(),
            "not changed": lambda: referral.read(**{"If-None-Match": tag}),
            "amend": lambda: referral.amend(notes=f"Change {next(self._numbers)}.", tag="*"),
        }
        return knocks[flow]

    def _referring(self, name: tuple[str, str]) -> Knock:
        asked = {**SENT, "given_name": name[0], "family_name": name[1], "own_identifier": self._number()}
        return lambda: self.partner.post(PATH, json={**asked, "born_on": "1990-01-01"})

    def _done(self, done: str) -> Sent:
        referral = refer(self.partner, own_identifier=self._number(), born_on=None)
        DONE[done](referral, self._somebody())
        return referral

    def _somebody(self) -> Knocker:
        return Knocker(self._app, external_id=f"EHR-{uuid.uuid4().hex[:12]}")

    def _number(self) -> str:
        return f"T-{next(self._numbers)}"

    def _system(self, owner: psycopg.Connection[tuple[object, ...]], name: str) -> Knocker:
        scopes = vocabulary.PARTNER_SCOPES
        return sending.client(self._app, add_client(owner, kind="partner", name=name, scopes=scopes), scopes)
