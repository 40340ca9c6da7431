# migrations/versions/0012_fill.py
from alembic import op

from api.patients.models import Patient  # bad


def upgrade():
    op.bulk_insert(Patient.__table__, [])
