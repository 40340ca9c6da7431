"""The catalogue as it ships, whatever the test before published, and read anew."""

from collections.abc import Iterator

import pytest

from api.programs import shelf

AS_SHIPPED = """
UPDATE programs SET current_revision = 1, version = 1, offered_here = (content ->> 'offered_here')::boolean,
  residential = (content ->> 'residential')::boolean
FROM program_revisions WHERE program_id = programs.id AND number = 1
"""


@pytest.fixture
def catalogue(app, owner_sql) -> Iterator[None]:
    """As shipped before the test, and again after it."""

    def restore():
        owner_sql(AS_SHIPPED)
        owner_sql("DELETE FROM program_revisions WHERE number > 1")
        shelf.forget()

    restore()
    yield
    restore()
