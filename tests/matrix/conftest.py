"""The demo clinic with every caller at its doors, furnished once for the whole matrix."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from api import vocabulary
from api.app import Continuum
from tests.access.conftest import ADDRESS, over
from tests.conftest import add_client, sign_in, sweep
from tests.knocking import Knocker
from tests.matrix.asking import Matrix
from tests.matrix.tokens import ACTING, Bearers, signed_in_again
from tests.phone import Phone
from tests.world import NEWCOMER, THERE, finder, furnished

# What nobody but the demo patient and the clinic may hear of.
SECRETS = """
    SELECT %s::uuid::text UNION SELECT external_id FROM patients WHERE id = %s
    UNION SELECT id::text FROM enrollments WHERE patient_id = %s
    UNION SELECT session_id::text FROM attendances WHERE patient_id = %s
    UNION SELECT id::text FROM check_ins WHERE patient_id = %s
    UNION SELECT id::text FROM passkeys WHERE patient_id = %s
    UNION SELECT id::text FROM app_sessions WHERE patient_id = %s
    UNION SELECT id::text FROM consents WHERE patient_id = %s
    UNION SELECT id::text FROM restrictions WHERE patient_id = %s"""

CLOSURE = """
    INSERT INTO location_closures (id, location_id, starts_at, ends_at)
    SELECT gen_random_uuid(), id, now(), now() + interval '1 day' FROM locations ORDER BY id LIMIT 1"""


@pytest.fixture(scope="module")
def matrix(app: Continuum, superuser: psycopg.Connection[Any]) -> Iterator[Matrix]:
    def sql(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return superuser.execute(statement, values).fetchall()

    sam = furnished(app)
    phone = signed_in_again(app, sam, lambda: Phone(ADDRESS, over(app)), invited_by(app, superuser))
    superuser.execute(CLOSURE)
    assert sam.id
    sam = sign_in(app, sam.id, sam.external_id)
    ((other, external_id),) = sql("SELECT id, external_id FROM patients WHERE external_id = %s", NEWCOMER)
    bearers = Bearers(app, superuser, sam, sign_in(app, other, external_id), phone)
    secret = frozenset(one for (one,) in sql(SECRETS, *[sam.id] * 9))
    there = {name: finder(sam, sql)(name) for name in THERE}
    yield Matrix(app, bearers, there.__getitem__, secret)
    sweep(superuser)


def invited_by(app: Continuum, superuser: psycopg.Connection[Any]) -> Knocker:
    client = add_client(superuser, kind="clinic", name="invitations", scopes=vocabulary.CLINIC_SCOPES)
    issue = app.extensions["tokens"].issue
    token = issue(kind="clinic", subject=client, client_id=str(client), scopes=vocabulary.CLINIC_SCOPES)
    return Knocker(app, {"Authorization": f"Bearer {token}", **ACTING}, id=client)
