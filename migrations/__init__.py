"""What the data remembers, step by step. Alembic's configuration is made here, so no .ini stands about."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config


def config(**attributes: Any) -> Config:
    """Alembic's configuration; pass `connection=` to migrate over one, else DATABASE_OWNER_URL is used."""
    made = Config(attributes=attributes)
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return made


def upgrade(to: str = "head", **attributes: Any) -> None:
    command.upgrade(config(**attributes), to)


def downgrade(to: str, **attributes: Any) -> None:
    command.downgrade(config(**attributes), to)


def check(**attributes: Any) -> None:
    """Raises when models and migrations disagree."""
    command.check(config(**attributes))
