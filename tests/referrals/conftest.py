"""What these tests begin with."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from api import vocabulary
from api.app import Continuum
from tests.knocking import Knocker
from tests.privacy.gating import Files
from tests.referrals import sending

NOON = "2026-11-24T12:00:00Z"


@pytest.fixture
def files(app: Continuum, superuser: psycopg.Connection[Any]) -> Files:
    return Files(superuser)


@pytest.fixture
def noon(travel: Callable[[str], datetime]) -> datetime:
    return travel(NOON)


@pytest.fixture
def new_partner(app: Continuum, files: Files) -> Callable[..., Knocker]:
    """Makes partners by name; keywords are those of `Files.partner`."""

    def make(name: str, **known: Any) -> Knocker:
        return sending.client(app, files.partner(name, **known), vocabulary.PARTNER_SCOPES)

    return make


@pytest.fixture
def partner(new_partner: Callable[..., Knocker], noon: datetime) -> Knocker:
    return new_partner("Harbor Detox")


@pytest.fixture
def consent(files: Files, partner: Knocker) -> Callable[..., UUID]:
    """A patient's consent that the outcome of referrals be told to the partner; keywords are those of `Files.sign`."""

    def sign(patient: Knocker, *categories: str, **more: Any) -> UUID:
        assert patient.id
        return files.sign(patient.id, partner.id, *categories, **more)

    return sign
