"""Carriers for development: they write each message to the log, without the address, and carry it nowhere."""

from api.messages.gateway import ACCEPTED, Address, Message, Outcome
from api.observe import log


class ConsoleCarrier:
    """Stands in for the carrier `name`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def send(self, message: Message, address: Address) -> Outcome:
        """Takes everything."""
        said = "(a silent change)" if message.silent else message.text
        log.info("message", channel=address.channel, carrier=self.name, key=message.key, text=said)
        return Outcome(ACCEPTED, provider_id=f"console:{message.key}")
