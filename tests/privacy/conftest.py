"""What these tests begin with."""

from typing import Any

import psycopg
import pytest

from api.app import Continuum
from tests.privacy.gating import Files


@pytest.fixture
def files(app: Continuum, superuser: psycopg.Connection[Any]) -> Files:
    return Files(superuser)
