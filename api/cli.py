"""The commands: `python -m api.cli run | serve | worker | migrate | clients | keys | rekey | …`; `--help` tells all.

What goes wrong is one sentence and a non-zero exit. A defect of ours is a sentence too; its traceback goes to a file.
Each command imports what it needs, so that none waits for the others' modules.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from api.children import CannotStart
from api.config import Misconfigured

ROOT = Path(__file__).resolve().parents[1]


def run() -> int:
    """Run all of it for development: database, API, worker and the demo clinic."""
    from api import supervisor

    supervisor.run(os.environ, lambda text: print(text, flush=True))
    return 0


def serve() -> int:
    """Serve the API on HOST (127.0.0.1) and PORT (8000) with WORKERS (1) processes."""
    from api import config, preflight, supervisor

    host = os.environ.get("HOST", "127.0.0.1")
    command = supervisor.serve(config.read(), preflight.port_of(os.environ), host=host)
    os.chdir(ROOT)
    os.execv(command[0], command)  # noqa: S606


def worker() -> int:
    """Run ticks and jobs until told to stop."""
    from api import loading

    with loading.to_stay():
        from api import app, config
        from api import worker as process

        settings = config.read()
        app.open_house(settings)
        app.carry(settings)
        app.ticks()
    return process.main(settings.database_url)


def migrate() -> int:
    """Bring the database of DATABASE_OWNER_URL up to date."""
    import migrations

    _owner_url()
    migrations.upgrade()
    return 0


def catalogue() -> int:
    """Load the programs that the database does not have yet."""
    from api import app, clock, config, db
    from api.programs import catalogue as programs

    app.open_house(config.read())
    with db.transaction(db.SYSTEM):
        programs.load(at=clock.now())
    return 0


def demo() -> int:
    """Load the synthetic clinic and open app sessions for it; their tokens go to .data/tokens. Development only."""
    from api import app, config
    from api import demo as clinic

    settings = config.read()
    app.open_house(settings)
    clinic.load(settings)
    clinic.register(settings, _owner_url())
    clinic.write_tokens(settings, ROOT / ".data" / "tokens")
    return 0


def prepare() -> int:
    """Run the script of `roles` on the server of DATABASE_ADMIN_URL, with the database and passwords of both logins."""
    from api import preflight
    from api import roles as house

    app, owner = (preflight.login(os.environ, name) for name in ("DATABASE_URL", "DATABASE_OWNER_URL"))
    house.apply(
        preflight.administrator(os.environ),
        app.database or "continuum",
        app_password=app.password,
        owner_password=owner.password,
    )
    return 0


def roles() -> int:
    """Print the script that the administrator of a database of one's own runs once with psql."""
    from api import roles as house

    print(house.script())
    return 0


def openapi() -> int:
    """Write the contract to openapi/."""
    from api import app, contract

    contract.write(app.operations(), ROOT / "openapi")
    return 0


def clients(options: argparse.Namespace) -> int:
    """Register, rotate, suspend, resume and list the systems that may sign in, as the database's owner."""
    from api.access import commands

    commands.run(options, _owner_url(), print)
    return 0


def keys(options: argparse.Namespace) -> int:
    """Rotate or list the keys that sign our tokens (TOKEN_KEYS_FILE); running processes follow by themselves."""
    from api import clock
    from api.access import key_commands

    if not (file := os.environ.get("TOKEN_KEYS_FILE")):
        raise Misconfigured("TOKEN_KEYS_FILE is not set.")
    key_commands.run(options, Path(file), print, at=clock.wall())
    return 0


def rekey() -> int:
    """Seal what is encrypted at rest anew under the first of ENCRYPTION_KEYS; exit code 1 where something is not."""
    from api import app, config, rekeying

    # Whoever seals has said so as the house was put together.
    app.open_house(config.read())
    whole = True
    for report in rekeying.run(_owner_url()):
        print(f"{report.place}  {report.anew} sealed anew, {report.unopened} could not be opened", flush=True)
        whole = whole and not report.unopened
    return 0 if whole else 1


def audit(options: argparse.Namespace) -> int:
    """Verify the audit's chain; exit code 1 where it is broken, or ends before what an earlier run saw."""
    from api import audit as trail
    from api import config, db, login

    login.open_engine(config.read())
    with db.transaction(db.SYSTEM):
        holds, said = trail.verify_report(options.expect)
    print(said)
    return 0 if holds else 1


def clock(options: argparse.Namespace) -> int:
    """Move the domain's time ahead in development; that of tokens and leases stays. Say when it is."""
    from api import clock as times
    from api import config

    settings = config.read()
    if not (file := settings.clock_file):
        raise Misconfigured("CLOCK_FILE is not set: the domain's time can be moved in development only.")
    times.use(file)
    if options.by == "next":
        from api import simulated

        times.move(file, ahead=times.ahead(file) + simulated.until_next_reminder(settings))
    elif options.by is not None:
        times.move(file, ahead=times.ahead(file) + options.by if options.by else options.by)
    print(f"For the clinic it is {times.now():%A, %Y-%m-%d %H:%M:%S} UTC, {times.ahead(file)} ahead.")
    return 0


def text(options: argparse.Namespace) -> int:
    """Let the demo patient answer a text, as the carrier would hand it in; says what is answered."""
    from api import config, simulated

    print(simulated.answer(config.read(), options.words))
    return 0


def receiver(options: argparse.Namespace) -> int:
    """Receive webhooks on this machine, verify them and say what they tell, until told to stop or the time is over."""
    import threading

    from api.webhooks import receiver as receiving

    listening = receiving.server(options.secret, port=options.port, say=lambda text: print(text, flush=True))
    over = threading.Timer(options.minutes * 60, listening.shutdown)
    over.daemon = True
    over.start()
    print(f"Listening at http://{receiving.HOST}:{options.port}{receiving.PATH}", flush=True)
    listening.serve_forever(poll_interval=0.1)
    return 0


def _words_of_receiver(parser: argparse.ArgumentParser) -> None:
    from api.webhooks import receiver as receiving

    parser.add_argument("--secret", help="the endpoint's, whsec_…; without it nothing can be verified")
    parser.add_argument("--port", type=int, default=receiving.PORT, help="WEBHOOK_LOOPBACK must list the address")
    parser.add_argument("--minutes", type=int, default=30, help="when it ends by itself")


def _words_of_clock(parser: argparse.ArgumentParser) -> None:
    from datetime import timedelta

    units = {"m": "minutes", "h": "hours", "d": "days"}

    def span(word: str) -> timedelta | str:
        if word in ("real", "next"):
            return timedelta() if word == "real" else word
        if not (word[:1] == "+" and word[1:-1].isdecimal() and word[-1:] in units):
            raise argparse.ArgumentTypeError("say +90m, +26h, +2d, next, or real")
        return timedelta(**{units[word[-1]]: int(word[1:-1])})

    parser.add_argument(
        "by", nargs="?", type=span, help="+90m, +26h or +2d further on; `next`: until a reminder is due; `real`: back"
    )


def _words_of_text(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", help="what the patient writes: 1, 2, STOP, …")


def _words_of_clients(parser: argparse.ArgumentParser) -> None:
    from api.access import commands

    commands.arguments(parser)


def _words_of_keys(parser: argparse.ArgumentParser) -> None:
    from api.access import key_commands

    key_commands.arguments(parser)


def _words_of_audit(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True)
    verify = acts.add_parser("verify", help=audit.__doc__, description=audit.__doc__)
    verify.add_argument("--expect", metavar="POSITION:HASH", help="the last word of an earlier run's report")


COMMANDS: dict[str, Callable[..., int]] = {
    command.__name__: command
    for command in (
        run,
        serve,
        worker,
        migrate,
        catalogue,
        demo,
        prepare,
        roles,
        openapi,
        clients,
        keys,
        rekey,
        audit,
        clock,
        text,
        receiver,
    )
}
# Commands that take further words; each is told only when it is the one, so that none waits for another's modules.
WORDS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "clients": _words_of_clients,
    "keys": _words_of_keys,
    "audit": _words_of_audit,
    "clock": _words_of_clock,
    "text": _words_of_text,
    "receiver": _words_of_receiver,
}


def _owner_url() -> str:
    if not (url := os.environ.get("DATABASE_OWNER_URL")):
        raise Misconfigured("DATABASE_OWNER_URL is not set.")
    return url


def main(words: Sequence[str] | None = None) -> int:
    """The exit code of the command; 1 after saying in one sentence what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m api.cli", description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    given = list(sys.argv[1:] if words is None else words)
    for name, command in COMMANDS.items():
        one = commands.add_parser(name, help=command.__doc__, description=command.__doc__)
        if name in WORDS and given[:1] == [name]:
            WORDS[name](one)
    try:
        options = parser.parse_args(given)
        return COMMANDS[options.command](*([options] if options.command in WORDS else []))
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        print(sentence(error), file=sys.stderr, flush=True)
        return 1


def sentence(error: Exception) -> str:
    """What to tell who typed the command; of a defect, where its traceback is."""
    if isinstance(error, CannotStart | Misconfigured):
        return str(error)
    from sqlalchemy.exc import DBAPIError

    if isinstance(error, DBAPIError):
        return f"The database does not do it: {str(error.orig).strip().splitlines()[0]}"
    if isinstance(error, OSError):
        return f"{error.filename or 'The system'}: {error.strerror or error}."
    return f"This is a defect ({type(error).__name__}){_noted(error)}"


def _noted(error: Exception) -> str:
    file = ROOT / ".data" / "defect.log"
    try:
        file.write_text("".join(traceback.format_exception(error)))
    except OSError:
        return "."
    return f"; the details are in {file}."


if __name__ == "__main__":
    sys.exit(main())
