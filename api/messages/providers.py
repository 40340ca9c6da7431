"""The carriers that a deployment has set, each as it is sent by. Without any, a file takes everything
(`MESSAGES_FILE`); in development, the log takes what has no carrier.

Only processes that send load the carriers' libraries.
"""

from collections.abc import Collection

from api import carriers, clock, config
from api.messages.gateway import Provider

IN_DEVELOPMENT = ("apns", "fcm", "web_push", "sms", "email")


def of(settings: config.Config) -> list[Provider]:
    """One provider for each carrier. Raises what a carrier's own key raises."""
    found = [*_push(settings), *_words(settings)]
    if settings.development and not settings.messages_file:
        return found + _consoles({one.name for one in found})
    return found


def _push(settings: config.Config) -> list[Provider]:
    from api.messages.push_parts import Clocks

    found: list[Provider] = []
    clocks = Clocks(clock.now, clock.wall)
    if (apns := settings.carriers.apns) is not None:
        from api.messages.push_apns import Apns

        found.append(Apns(apns, clocks=clocks, ca_file=settings.outward_ca_file))
    if (fcm := settings.carriers.fcm) is not None:
        from api.messages.push_fcm import Fcm

        found.append(Fcm(fcm, clocks=clocks, ca_file=settings.outward_ca_file))
    if (web_push := settings.carriers.web_push) is not None:
        from api.messages.push_web import WebPush

        found.append(WebPush(web_push, clocks=clocks))
    return found


def _words(settings: config.Config) -> list[Provider]:
    found: list[Provider] = []
    if (sms := settings.carriers.sms) is not None and sms.url != carriers.CONSOLE:
        from api.messages.sms import Texts

        found.append(Texts(sms, public_url=settings.public_url, now=clock.now))
    if (smtp := settings.carriers.smtp) is not None:
        from api.messages.mail import Mail

        sender = settings.carriers.sender_name
        found.append(Mail(smtp, sender_name=sender, public_url=settings.public_url, now=clock.now))
    return found


def _consoles(set_up: Collection[str]) -> list[Provider]:
    from api.messages.console import ConsoleCarrier

    return [ConsoleCarrier(name) for name in IN_DEVELOPMENT if name not in set_up]
