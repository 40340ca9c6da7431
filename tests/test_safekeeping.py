"""What is sealed opens in its own place only, under any key that is still here, and is sealed anew by one command."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from api import config, postgres, rekeying, safekeeping
from api.app import Continuum
from tests.matrix.rows import Rows
from tests.matrix.tables import CLIENTS, TABLES
from tests.rules.code import ROOT

# Frozen: what is sealed. A column that is missing here is one that `rekey` would leave behind under a key that goes.
SEALED = {"webhook_endpoints.secret", "webhook_endpoints.old_secret", "referral_documents.sealed"}
EVERYWHERE = dict(safekeeping.places)
OLD, NEW = "old:" + "0123456789abcdef" * 4, "new:" + "fedcba9876543210" * 4
ROW, ANOTHER = UUID(int=1), UUID(int=2)
PLACE = "letters.sealed"
PLAIN = b"Please call on Tuesday"


class Base(DeclarativeBase):
    """Apart from the house's tables, which the migrations must equal."""


class Letter(Base):
    __tablename__ = "letters"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sealed: Mapped[bytes | None]


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """One key, and nothing registered; afterwards it is as it was."""
    for name in ("_keys", "_ciphers", "places"):
        monkeypatch.setattr(safekeeping, name, {})
    use(OLD)


def use(text: str) -> None:
    safekeeping.use(safekeeping.read(text))


def sealed(row: UUID = ROW) -> bytes:
    return safekeeping.seal(PLAIN, place=PLACE, row=row)


def opened(value: bytes, row: UUID = ROW) -> bytes:
    return safekeeping.unseal(value, place=PLACE, row=row)


def test_what_is_sealed_opens_in_its_place() -> None:
    assert opened(sealed()) == PLAIN


def test_nothing_of_it_shows_and_twice_is_not_the_same() -> None:
    assert PLAIN not in sealed() and sealed() != sealed()


@pytest.mark.parametrize(("place", "row"), [(PLACE, ANOTHER), ("letters.other", ROW)])
def test_moved_elsewhere_it_does_not_open(place: str, row: UUID) -> None:
    with pytest.raises(safekeeping.Unopened):
        safekeeping.unseal(sealed(), place=place, row=row)


def test_no_byte_of_it_may_change_and_no_part_of_it_opens() -> None:
    whole = sealed()
    for at in range(len(whole)):
        for broken in (whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], whole[:at]):
            with pytest.raises(safekeeping.Unopened):
                opened(broken)


def test_every_key_opens_and_the_first_seals() -> None:
    before = sealed()
    use(f"{NEW},{OLD}")
    assert opened(before) == PLAIN and b"new" in sealed()[:5]
    use(NEW)
    with pytest.raises(safekeeping.Unopened):
        opened(before)


def test_a_name_taken_over_by_another_key_opens_nothing() -> None:
    before = sealed()
    use(NEW.replace("new", "old"))
    with pytest.raises(safekeeping.Unopened):
        opened(before)


def test_what_the_database_holds_opens_in_every_later_release() -> None:
    mark, nonce = b"\x01\x03old", b"n" * 12
    text = AESGCM(bytes.fromhex(OLD[4:])).encrypt(nonce, PLAIN, mark + b"\0" + PLACE.encode() + b"\0" + ROW.bytes)
    assert opened(mark + nonce + text) == PLAIN


def test_no_key_shows_where_settings_are_printed(settings: config.Config) -> None:
    assert "0123456789abcdef" not in repr(settings) and settings.encryption_keys[0].name == "k1"


def test_without_a_key_nothing_is_sealed() -> None:
    safekeeping.use(())
    with pytest.raises(RuntimeError, match="No key"):
        sealed()


@pytest.fixture
def letters(app: Continuum, superuser: psycopg.Connection[Any]) -> Iterator[str]:
    """A table of sealed letters that the database's owner has."""
    superuser.execute("CREATE TABLE letters (id uuid PRIMARY KEY, sealed bytea)")
    superuser.execute("ALTER TABLE letters OWNER TO continuum_owner")
    yield safekeeping.register(Letter.sealed, row=Letter.id)
    superuser.execute("DROP TABLE letters")


@pytest.fixture
def owner_url(server: postgres.Server) -> str:
    return server.url("continuum_owner", "continuum")


def write(owner_sql: Callable[..., Any], count: int) -> None:
    for number in range(1, count + 1):
        value = sealed(UUID(int=number)) if number % 10 else None
        owner_sql("INSERT INTO letters VALUES (%s, %s)", UUID(int=number), value)


def kept(owner_sql: Callable[..., Any]) -> dict[UUID, bytes]:
    return dict(owner_sql("SELECT id, sealed FROM letters WHERE sealed IS NOT NULL"))


def test_a_column_is_named_by_its_table(letters: str) -> None:
    assert letters == PLACE and set(safekeeping.places) == {PLACE}


def test_all_is_sealed_anew_under_the_first_key(letters: str, owner_sql: Callable[..., Any], owner_url: str) -> None:
    """In more than one batch, and what was never there stays away."""
    write(owner_sql, 2 * rekeying.BATCH + 3)
    use(f"{NEW},{OLD}")
    written = len(kept(owner_sql))
    assert list(rekeying.run(owner_url)) == [rekeying.Report(PLACE, written, 0)]
    use(NEW)
    assert {opened(value, row) for row, value in kept(owner_sql).items()} == {PLAIN}
    assert list(rekeying.run(owner_url)) == [rekeying.Report(PLACE, 0, 0)]


def test_what_cannot_be_opened_stays_as_it_is_and_is_told(
    letters: str, owner_sql: Callable[..., Any], owner_url: str
) -> None:
    write(owner_sql, 3)
    owner_sql("UPDATE letters SET sealed = %s WHERE id = %s", b"nonsense", ROW)
    use(f"{NEW},{OLD}")
    assert list(rekeying.run(owner_url)) == [rekeying.Report(PLACE, 2, 1)]
    assert kept(owner_sql)[ROW] == b"nonsense"


def test_a_row_that_is_being_changed_is_waited_for(
    letters: str, owner_sql: Callable[..., Any], owner_url: str, server: postgres.Server
) -> None:
    """What a running process writes meanwhile is neither lost nor overwritten with what stood there before."""
    write(owner_sql, 1)
    fresh = safekeeping.seal(b"Please call on Friday", place=PLACE, row=ROW)
    use(f"{NEW},{OLD}")
    with psycopg.connect(server.dsn("postgres", "continuum")) as running:
        running.execute("UPDATE letters SET sealed = %s", [fresh])
        with pytest.raises(rekeying.OutOfReach):
            next(rekeying.run(owner_url + "&options=-c%20lock_timeout%3D200"))
    assert list(rekeying.run(owner_url)) == [rekeying.Report(PLACE, 1, 0)]
    assert opened(kept(owner_sql)[ROW]) == b"Please call on Friday"


def test_whatever_is_sealed_is_registered() -> None:
    assert set(EVERYWHERE) == SEALED


@pytest.fixture
def house(app: Continuum, superuser: psycopg.Connection[Any]) -> None:
    """Two rows with everything that is sealed in each table, under the only key that there is."""
    rows = Rows(superuser, {owner: uuid4() for owner in CLIENTS})
    for table in {place.split(".")[0] for place in SEALED}:
        rows.fill(table, TABLES[table])
    for place, row, _ in found(superuser):
        table, column = place.split(".")
        value = safekeeping.seal(PLAIN, place=place, row=row)
        superuser.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, row])


def found(superuser: psycopg.Connection[Any]) -> Iterator[tuple[str, UUID, bytes]]:
    for place in sorted(SEALED):
        table, column = place.split(".")
        for row, value in superuser.execute(f"SELECT id, {column} FROM {table}").fetchall():
            yield place, row, value


@pytest.fixture
def rekey(settings: config.Config, owner_url: str) -> Callable[[], tuple[int, list[str]]]:
    """Types the command where the new key stands before the old; gives its exit code and what it said."""
    env = os.environ | {
        "CONTINUUM_ENV": "development",
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": owner_url,
        "TOKEN_KEYS_FILE": str(settings.token_keys_file),
        "CURSOR_SECRET": "0123456789abcdef" * 2,
        "ACCESS_SECRET": "fedcba9876543210" * 2,
        "ENCRYPTION_KEYS": f"{NEW},{OLD}",
    }

    def typed() -> tuple[int, list[str]]:
        done = subprocess.run(
            [sys.executable, "-m", "api.cli", "rekey"], env=env, cwd=ROOT, capture_output=True, text=True, check=False
        )
        return done.returncode, (done.stdout + done.stderr).splitlines()

    return typed


def test_the_command_seals_anew_whatever_the_house_has_sealed(
    house: None, superuser: psycopg.Connection[Any], rekey: Callable[[], tuple[int, list[str]]]
) -> None:
    assert rekey() == (0, [f"{place}  2 sealed anew, 0 could not be opened" for place in sorted(SEALED)])
    use(NEW)
    assert {safekeeping.unseal(value, place=place, row=row) for place, row, value in found(superuser)} == {PLAIN}


def test_the_command_fails_where_something_could_not_be_opened(
    house: None, superuser: psycopg.Connection[Any], rekey: Callable[[], tuple[int, list[str]]]
) -> None:
    superuser.execute("UPDATE webhook_endpoints SET old_secret = secret")
    code, said = rekey()
    assert (code, said[1]) == (1, "webhook_endpoints.old_secret  0 sealed anew, 2 could not be opened")
