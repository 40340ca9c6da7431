"""The post office: which carriers there are, how each is doing, and how many messages each takes at once.

Without carriers, one gateway takes everything (the console, a file). With them, each has a circuit and a lane of its
own: a slow carrier fills its lane, and nobody else waits for it.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from uuid import UUID

from api import carriers
from api.messages import gateway as gateways
from api.messages.circuits import Circuit
from api.messages.gateway import ACCEPTED, DEAD, REFUSED, RETRY, Address, Gateway, Message, Outcome, Provider
from api.observe import log

# Messages that a carrier takes at the same time. Texts go one by one: of those, a killed worker may double the one in
# flight, as their gateways know no idempotency key.
WIDTHS = {"sms": 1, "email": 2}
WIDTH = 8
# The reason of what was not even handed over: no attempt, and nobody's failure.
NOT_ASKED = "circuit_open"

STAFF = UUID(int=0)


class Lane:
    """The way to one carrier: its circuit, and the threads that wait for its answers."""

    def __init__(self, provider: Provider) -> None:
        self.name, self._provider, self._circuit = provider.name, provider, Circuit(provider.name)
        self._batches = ThreadPoolExecutor(1, thread_name_prefix=f"{provider.name}-batch")
        self._sends = ThreadPoolExecutor(WIDTHS.get(provider.name, WIDTH), thread_name_prefix=provider.name)
        self._batch: Future[None] | None = None

    def wait(self) -> float:
        """In how many seconds it may be tried; 0 for now."""
        return self._circuit.wait()

    @property
    def busy(self) -> bool:
        """Whether it is still at an earlier batch."""
        return self._batch is not None and not self._batch.done()

    def run(self, batch: Callable[[], None]) -> Future[None]:
        """Run a whole batch beside the caller; one at a time."""
        self._batch = self._batches.submit(batch)
        return self._batch

    def each(self, work: Sequence[Callable[[], None]]) -> None:
        """Do all of it, as many at once as the carrier takes. What one of them raises is raised when all have ended."""
        begun = [self._sends.submit(one) for one in work]
        wait(begun)
        for one in begun:
            one.result()

    def send(self, message: Message, address: Address, *, urgent: bool = False) -> Outcome:
        """Never raises: a carrier that breaks is one that did not take the message now. What is `urgent` does not wait
        for what another message learns of a carrier that was in trouble."""
        if wait := self._circuit.enter(urgent=urgent):
            return Outcome(RETRY, NOT_ASKED, retry_after=wait)
        try:
            outcome = self._provider.send(message.for_reader_at(address), address)
        except Exception as error:
            log.warning("carrier failed", carrier=self.name, error=type(error).__name__)
            outcome = Outcome(RETRY, type(error).__name__)
        self._circuit.heard(outcome)
        return outcome

    def close(self) -> None:
        """Wait for what is on its way."""
        self._batches.shutdown(wait=True)
        self._sends.shutdown(wait=True)


class Post:
    """Where there are no `providers`, `house` takes everything whole: the gateway in use, unless another is named."""

    def __init__(self, providers: Iterable[Provider] = (), *, house: Gateway | None = None) -> None:
        self.lanes = {one.name: Lane(one) for one in providers}
        self._house = house

    @property
    def house(self) -> Gateway:
        return self._house or gateways.in_use()

    @property
    def carries(self) -> bool:
        """Whether messages go to addresses, by carriers."""
        return bool(self.lanes)

    def close(self) -> None:
        for lane in self.lanes.values():
            lane.close()

    def say(self, message: Message, addresses: Sequence[Address]) -> str:
        """Say one message now, outside of any transaction: to all phones, else by text or mail. `accepted`, `retry`, or
        `refused` where nothing leads to its reader."""
        if not self.carries:
            return self.house.deliver(message)
        verdict = REFUSED
        for channel in dict.fromkeys(one.channel for one in addresses):
            said = {self.lanes[one.provider].send(message, one).verdict for one in addresses if self._to(channel, one)}
            if ACCEPTED in said:
                return ACCEPTED
            verdict = RETRY if said - {DEAD, REFUSED} else verdict
        return verdict

    def tell(self, message: Message) -> str:
        """Say one message to a contact at the clinic, by number, mailbox, or whatever the house's gateway knows. These
        are few, and may be about somebody's safety: each is urgent."""
        provider = carriers.carrier_of(message.recipient)
        if provider is None or provider not in self.lanes:
            return self.house.deliver(message)
        contact = Address(STAFF, provider, provider, message.recipient, datetime.min.replace(tzinfo=UTC))
        return self.lanes[provider].send(message, contact, urgent=True).verdict

    def _to(self, channel: str, address: Address) -> bool:
        return address.channel == channel and address.provider in self.lanes


_in_use = Post()


def use(post: Post) -> None:
    """Send by `post` from now on in this process."""
    global _in_use
    _in_use.close()
    _in_use = post


def in_use() -> Post:
    return _in_use
