"""Carriers: which way a message goes, what a carrier's answer does to it, and who waits for whom."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from api import db, errors, events
from api.messages import caps, circuits, deliveries
from api.messages.events import DeliveryReported
from api.messages.gateway import ACCEPTED, DEAD, MISCONFIGURED, REFUSED, RETRY, Address, Message, Outcome
from api.messages.post import Post
from api.reminders import delivering, worker
from tests.reminders.people import local
from tests.run.clones import wait_until

EVENING = "2026-06-09T18:00"
PROVIDERS = {"push": "fcm", "sms": "sms", "email": "email"}


class Carrier:
    """A provider that answers as told, in order, and then takes everything."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.answers: list[Outcome | Exception] = []
        self.asked: list[tuple[str, str]] = []
        self.sent: list[Message] = []
        self.wait: threading.Event | None = None

    def send(self, message: Message, address: Address) -> Outcome:
        self.asked.append((message.key, address.target))
        self.sent.append(message)
        if self.wait is not None:
            assert self.wait.wait(20)
        answer = (
            self.answers.pop(0) if self.answers else Outcome(ACCEPTED, provider_id=f"{self.name}-{len(self.asked)}")
        )
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def carriers() -> Mapping[str, Carrier]:
    return {name: Carrier(name) for name in ("apns", "fcm", "sms", "email")}


@pytest.fixture
def post(carriers: Mapping[str, Carrier]) -> Iterator[Post]:
    made = Post(carriers.values())
    yield made
    for one in carriers.values():
        if one.wait is not None:
            one.wait.set()
    made.close()


@pytest.fixture
def reach(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives patients addresses: channels, or (channel, provider) where it matters."""
    known: dict[UUID, list[Address]] = {}
    gone: list[UUID] = []

    def addresses_of(patient_ids: Any) -> dict[UUID, list[Address]]:
        return {one: [a for a in known[one] if a.id not in gone] for one in patient_ids if one in known}

    def forget_dead(attempts: Any, *, at: datetime) -> None:
        gone.extend(one.address.id for one in attempts if one.outcome.verdict == DEAD)

    def give(patient_id: UUID, *ways: str | tuple[str, str]) -> None:
        for way in ways:
            channel, provider = way if isinstance(way, tuple) else (way, PROVIDERS[way])
            target = f"{provider}-{len(known.get(patient_id, []))}"
            known.setdefault(patient_id, []).append(Address(db.uuid7(), channel, provider, target, local(EVENING)))

    monkeypatch.setattr(deliveries, "addresses_of", addresses_of)
    monkeypatch.setattr(deliveries, "forget_dead", forget_dead)
    monkeypatch.setattr(caps, "reserve", lambda **_: True)
    return give


@pytest.fixture
def send(post: Post, travel: Any) -> Callable[[str], dict[str, int]]:
    return lambda when=EVENING: dict(worker.tick(at=travel(local(when)), post=post))


@pytest.fixture
def wish(owner_sql: Any) -> Callable[..., None]:
    """The channels that a patient has chosen, in order."""

    def choose(patient_id: UUID, *channels: str) -> None:
        owner_sql(
            "INSERT INTO reminder_preferences (patient_id, channels, leads, first_leads, quiet_begin, quiet_end,"
            " changed_at, preferences_version, version) VALUES (%s, %s, '{evening_before,hours_2}', '{hours_24}',"
            " '21:00', '08:00', now(), 1, 1)",
            *(patient_id, list(channels)),
        )

    return choose


def kept(owner_sql: Any, patient_id: UUID) -> list[tuple[str, str, str]]:
    found = owner_sql(
        "SELECT provider, verdict, coalesce(reason, '') FROM deliveries WHERE patient_id = %s ORDER BY id", patient_id
    )
    return [tuple(row) for row in found]


def test_it_goes_to_every_phone_and_is_said_once(patient, group, reach, send, carriers, rows, owner_sql) -> None:
    reach(patient.id, ("push", "apns"), ("push", "fcm"))
    assert send() == {"accepted": 1}
    assert [len(carriers[name].asked) for name in ("apns", "fcm")] == [1, 1]
    row = rows(patient.id, lead="evening_before")[0]
    assert (row.state, row.channel) == ("sent", "push")
    assert kept(owner_sql, patient.id) == [("apns", "accepted", ""), ("fcm", "accepted", "")]


def test_the_ledger_of_what_was_said_is_a_new_version_for_the_patient(patient, group, reach, send, rows) -> None:
    reach(patient.id, "push")
    before = rows(patient.id, lead="evening_before")[0].version
    send()
    assert rows(patient.id, lead="evening_before")[0].version > before


def test_what_no_address_leads_to_is_not_sent_and_says_so(patient, group, reach, send, carriers, rows) -> None:
    assert send() == {"no_address": 1}
    row = rows(patient.id, lead="evening_before")[0]
    assert (row.state, row.reason) == ("not_sent", "no_address")


def test_a_dead_address_gives_way_to_the_next_channel(patient, group, reach, wish, send, carriers, rows) -> None:
    wish(patient.id, "push", "email")
    reach(patient.id, "push", "email")
    carriers["fcm"].answers = [Outcome(DEAD, "UNREGISTERED")]
    assert send() == {"dead": 1}
    assert send() == {"accepted": 1}
    assert rows(patient.id, lead="evening_before")[0].channel == "email"
    assert len(carriers["fcm"].asked) == 1


def test_one_living_phone_is_enough(patient, group, reach, send, carriers, rows) -> None:
    reach(patient.id, ("push", "apns"), ("push", "fcm"))
    carriers["apns"].answers = [Outcome(DEAD, "Unregistered")]
    assert send() == {"accepted": 1}


@pytest.mark.parametrize("trouble", [Outcome(RETRY, "503"), TimeoutError("slow")], ids=["asked to wait", "broke"])
def test_what_a_carrier_does_not_take_now_is_tried_again(
    patient, group, reach, send, carriers, rows, leases_end, trouble
) -> None:
    reach(patient.id, "push")
    carriers["fcm"].answers = [trouble]
    assert send() == {"retry": 1}
    assert send("2026-06-09T18:01") == {}, "a pause lies between two attempts"
    leases_end()
    assert send("2026-06-09T18:02") == {"accepted": 1}
    row = rows(patient.id, lead="evening_before")[0]
    assert (row.state, row.tries) == ("sent", 1)


def test_a_pause_is_as_long_as_the_carrier_asks(patient, group, reach, send, carriers, owner_sql) -> None:
    reach(patient.id, "push")
    carriers["fcm"].answers = [Outcome(RETRY, "429", retry_after=300.0)]
    send()
    ((seconds,),) = owner_sql(
        "SELECT extract(epoch FROM leased_until - clock_timestamp()) FROM reminders WHERE leased_until IS NOT NULL"
    )
    assert 295 < seconds < 361


def test_what_a_carrier_refuses_is_final_at_once(patient, group, reach, send, carriers, rows) -> None:
    reach(patient.id, "push")
    carriers["fcm"].answers = [Outcome(REFUSED, "INVALID_ARGUMENT")]
    assert send() == {"refused": 1}
    assert (rows(patient.id, lead="evening_before")[0].reason, send()) == ("refused", {})


def test_trouble_of_a_carrier_never_uses_up_a_row(patient, group, reach, send, carriers, rows, leases_end) -> None:
    reach(patient.id, "push")
    carriers["fcm"].answers = [Outcome(RETRY, "500") for _ in range(4)]
    for minute in range(4):
        assert send(f"2026-06-09T18:0{minute}") == {"retry": 1}
        leases_end()
    row = rows(patient.id, lead="evening_before")[0]
    assert (row.attempts, row.tries) == (0, 4)


def test_a_carrier_in_trouble_is_left_alone(new_patient, enroll, book, reach, send, carriers, leases_end) -> None:
    people = [new_patient().id for _ in range(3)]
    for one in people:
        enroll(one)
        reach(one, "push")
    book(people, "2026-06-10T18:00")
    carriers["fcm"].answers = [Outcome(MISCONFIGURED, "SENDER_ID_MISMATCH")]
    told = send()
    asked = len(carriers["fcm"].asked)
    assert told["retry"] + told.get("later", 0) == 3 and asked == told["retry"]
    leases_end()
    assert send("2026-06-09T18:01") == {"later": 3}
    assert len(carriers["fcm"].asked) == asked


@pytest.fixture
def just_after_its_pause(post, monkeypatch) -> Callable[[str], None]:
    """A carrier was in trouble, and may be tried again now: by one message first."""

    def end(name: str) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(circuits, "jittered", lambda *_, **__: 0.0)
            for _ in range(circuits.FAILURES):
                post.lanes[name]._circuit.heard(Outcome(RETRY, "503"))

    return end


def slowly(carrier: Carrier, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answers take long enough for others to come meanwhile."""
    original = carrier.send

    def late(message: Message, address: Address) -> Outcome:
        time.sleep(0.1)
        return original(message, address)

    monkeypatch.setattr(carrier, "send", late)


@pytest.mark.parametrize("channel", ["push", "sms", "email"])
def test_what_waits_for_a_carriers_first_try_was_not_tried_and_follows_at_once(
    new_patient, enroll, book, reach, wish, send, carriers, rows, owner_sql, monkeypatch, just_after_its_pause, channel
) -> None:
    people = [new_patient().id for _ in range(20)]
    for one in people:
        enroll(one)
        wish(one, channel)
        reach(one, channel)
    book(people, "2026-06-10T18:00")
    slowly(carriers[PROVIDERS[channel]], monkeypatch)
    just_after_its_pause(PROVIDERS[channel])
    until = time.monotonic() + 60
    while time.monotonic() < until and len(carriers[PROVIDERS[channel]].sent) < 20:
        send()
        time.sleep(0.1)
    send()
    found = [rows(one, lead="evening_before")[0] for one in people]
    assert {(row.state, row.tries) for row in found} == {("sent", 0)}
    assert owner_sql("SELECT verdict, count(*) FROM deliveries GROUP BY verdict") == [("accepted", 20)]


def test_a_phone_whose_carrier_was_not_asked_is_waited_for_where_the_others_are_dead(
    new_patient, enroll, book, reach, send, carriers, rows, owner_sql, leases_end, monkeypatch, just_after_its_pause
) -> None:
    first, second = new_patient().id, new_patient().id
    for one in (first, second):
        enroll(one)
    reach(first, ("push", "fcm"))
    reach(second, ("push", "apns"), ("push", "fcm"))
    book([first, second], "2026-06-10T18:00")
    carriers["apns"].answers = [Outcome(DEAD, "Unregistered")]
    slowly(carriers["apns"], monkeypatch)
    carriers["fcm"].wait = threading.Event()
    monkeypatch.setattr(delivering, "A_MOMENT", 0.5)
    just_after_its_pause("fcm")
    assert send() == {"in_flight": 1, "later": 1}
    carriers["fcm"].wait.set()
    until_said(rows, first)
    leases_end()
    assert send() == {"accepted": 1}
    assert [verdict for _, verdict, _ in kept(owner_sql, second)] == ["dead", "accepted"]


def test_near_the_end_of_its_time_another_channel_is_tried(
    patient, group, reach, wish, send, carriers, rows, leases_end
) -> None:
    wish(patient.id, "push", "email")
    reach(patient.id, "push", "email")
    carriers["fcm"].answers = [Outcome(RETRY, "503"), Outcome(RETRY, "503")]
    assert send() == {"retry": 1}
    leases_end()
    assert send("2026-06-09T18:11") == {"accepted": 1}
    assert rows(patient.id, lead="evening_before")[0].channel == "email"


def test_without_another_channel_it_is_tried_until_its_time_is_over(
    patient, group, reach, send, carriers, leases_end
) -> None:
    reach(patient.id, "push")
    carriers["fcm"].answers = [Outcome(RETRY, "503")]
    send()
    leases_end()
    assert send("2026-06-09T18:14") == {"accepted": 1}


def test_a_hanging_carrier_keeps_nobody_else_waiting(
    new_patient, enroll, book, reach, send, carriers, rows, monkeypatch
) -> None:
    monkeypatch.setattr(delivering, "A_MOMENT", 0.2)
    slow, quick = new_patient().id, new_patient().id
    for one in (slow, quick):
        enroll(one)
    reach(slow, ("push", "apns"))
    reach(quick, ("push", "fcm"))
    book([slow, quick], "2026-06-10T18:00")
    carriers["apns"].wait = threading.Event()
    assert send() == {"accepted": 1, "in_flight": 1}
    assert rows(quick, lead="evening_before")[0].state == "sent"
    assert rows(slow, lead="evening_before")[0].state == "planned"
    carriers["apns"].wait.set()
    until_said(rows, slow)


def until_said(rows: Any, patient_id: UUID) -> None:
    wait_until(lambda: rows(patient_id, lead="evening_before")[0].state == "sent")


def test_no_transaction_and_no_connection_is_held_while_a_carrier_is_waited_for(
    patient, group, reach, send, carriers, monkeypatch
) -> None:
    monkeypatch.setattr(delivering, "A_MOMENT", 0.2)
    reach(patient.id, "push")
    carriers["fcm"].wait = threading.Event()
    assert send() == {"in_flight": 1}
    assert db.engine().pool.checkedout() == 0  # type: ignore[attr-defined]


def test_texts_are_settled_one_by_one(
    new_patient, enroll, book, reach, wish, send, carriers, rows, monkeypatch
) -> None:
    """When the second text is on its way, the first is written down already: only one can be doubled."""
    people = [new_patient().id for _ in range(3)]
    for one in people:
        enroll(one)
        wish(one, "sms")
        reach(one, "sms")
    book(people, "2026-06-10T18:00")
    states: list[int] = []
    carrier, original = carriers["sms"], carriers["sms"].send

    def watched(message: Message, address: Address) -> Outcome:
        states.append(sum(rows(one, lead="evening_before")[0].state == "sent" for one in people))
        return original(message, address)

    monkeypatch.setattr(carrier, "send", watched)
    assert send() == {"accepted": 3}
    assert states == [0, 1, 2]


@pytest.mark.parametrize(
    ("outcome", "given_back"),
    [
        (Outcome(REFUSED, "30007"), 1),
        (Outcome(MISCONFIGURED, "20003"), 1),
        (Outcome(RETRY, "circuit_open"), 1),
        (Outcome(RETRY, "503"), 0),
        (TimeoutError("slow"), 0),
    ],
)
def test_what_was_certainly_not_texted_counts_for_nothing(
    patient, group, reach, wish, send, carriers, monkeypatch, outcome, given_back
) -> None:
    released: list[str] = []
    wish(patient.id, "sms")
    reach(patient.id, "sms")
    monkeypatch.setattr(caps, "release", lambda **told: released.append(told["message_key"]))
    carriers["sms"].answers = [outcome]
    send()
    assert len(released) == given_back


def test_a_text_that_may_have_been_sent_before_stays_counted(
    patient, group, reach, wish, send, carriers, monkeypatch
) -> None:
    wish(patient.id, "sms")
    reach(patient.id, "sms")
    monkeypatch.setattr(caps, "counted", frozenset)
    monkeypatch.setattr(caps, "release", lambda **_: pytest.fail("it may have been sent"))
    carriers["sms"].answers = [Outcome(MISCONFIGURED, "20003")]
    assert send() == {"retry": 1}


def test_a_text_about_several_appointments_asks_about_none_of_them(
    patient, enroll, book, reach, wish, send, monkeypatch
) -> None:
    """ "2" would take back one of them, and nobody could tell which."""
    spoken: list[dict[str, Any]] = []
    enroll(patient.id)
    wish(patient.id, "sms")
    reach(patient.id, "sms")
    monkeypatch.setattr(caps, "reserve", lambda **told: spoken.append(told) or True)
    for starts in ("2026-06-12T15:00", "2026-06-12T18:00"):
        book([patient.id], starts)
    assert send("2026-06-11T18:00") == {"accepted": 1}
    assert (spoken[0]["subject_id"], spoken[0]["starts_at"]) == (None, local("2026-06-12T15:00"))


def test_a_change_that_reaches_nobody_is_a_call_for_staff_and_closes_itself(
    patient, group, change, reach, send, owner_sql
) -> None:
    change(group, starts="2026-06-10T19:00", now="2026-06-08T10:00")
    assert send("2026-06-08T10:02") == {"no_address": 1}
    assert open_calls(owner_sql, patient.id) == ["open"]
    reach(patient.id, "push")
    assert send() == {"accepted": 1}
    assert open_calls(owner_sql, patient.id) == ["cause_gone"]


def test_what_arrives_of_another_session_leaves_that_call_to_staff(
    patient, group, book, change, reach, send, owner_sql
) -> None:
    book([patient.id], "2026-06-09T12:00")
    change(group, starts="2026-06-10T19:00", now="2026-06-08T10:00")
    assert send("2026-06-08T10:02") == {"no_address": 1}
    reach(patient.id, "push")
    assert send("2026-06-08T18:00") == {"accepted": 1}
    assert open_calls(owner_sql, patient.id) == ["open"]


def open_calls(owner_sql: Any, patient_id: UUID) -> list[str]:
    found = owner_sql("SELECT status FROM tasks WHERE patient_id = %s AND cause = 'undeliverable_messages'", patient_id)
    return [row[0] for row in found]


def test_a_reminder_that_reaches_nobody_troubles_no_staff(patient, group, send, owner_sql) -> None:
    assert send() == {"no_address": 1}
    assert open_calls(owner_sql, patient.id) == []


def test_a_report_reaches_what_was_tried_and_the_first_stands(patient, group, reach, send, owner_sql) -> None:
    reach(patient.id, "push")
    send()
    for when in ("2026-06-09T18:01", "2026-06-09T18:09"):
        with db.transaction(db.WORKER):
            deliveries.on_reported(DeliveryReported("fcm", "fcm-1", "delivered", "", local(when)))
    ((delivered_at, failed_at),) = owner_sql("SELECT delivered_at, failed_at FROM deliveries")
    assert (delivered_at, failed_at) == (local("2026-06-09T18:01"), None)


def report(status: str, provider_id: str, when: str, reason: str = "") -> None:
    with db.transaction(db.WORKER):
        events.announce(DeliveryReported(provider_id.partition("-")[0], provider_id, status, reason, local(when)))


def test_what_a_carrier_says_has_arrived_stands_in_the_ledger(patient, group, reach, wish, send, owner_sql) -> None:
    wish(patient.id, "sms")
    reach(patient.id, "sms")
    send()
    for when in ("2026-06-09T18:01", "2026-06-09T18:09"):
        report("delivered", "sms-1", when)
    entry = patient.get("/v1/me/reminders?state=sent").get_json()["items"][0]
    assert datetime.fromisoformat(entry["delivered_at"]) == local("2026-06-09T18:01")
    version = owner_sql("SELECT version FROM patient_versions WHERE patient_id = %s", patient.id)
    assert owner_sql("SELECT version FROM reminders WHERE id = %s", UUID(entry["id"])) == version


def test_a_change_that_did_not_arrive_after_all_is_a_call_for_staff(
    patient, group, change, reach, wish, send, owner_sql
) -> None:
    wish(patient.id, "sms")
    reach(patient.id, "sms")
    change(group, starts="2026-06-10T19:00", now="2026-06-08T10:00")
    assert send("2026-06-08T10:02") == {"accepted": 1}
    for when in ("2026-06-08T10:03", "2026-06-08T10:04"):
        report("failed", "sms-1", when, "30003")
    assert owner_sql("SELECT status, times FROM tasks WHERE cause = 'undeliverable_messages'") == [("open", 1)]


def test_a_reminder_that_did_not_arrive_troubles_no_staff(patient, group, reach, send, owner_sql) -> None:
    reach(patient.id, "push")
    send()
    report("failed", "fcm-1", "2026-06-09T18:01")
    assert open_calls(owner_sql, patient.id) == []


def test_what_reached_no_carrier_is_among_the_delivery_problems(patient, group, send, clinic) -> None:
    send()
    (problem,) = clinic.get(f"/v1/clinic/patients/{patient.external_id}/delivery-problems").get_json()["items"]
    assert (problem["outcome"], problem["reason"]) == ("not_carried", "no_address")
    assert "channel" not in problem and "provider" not in problem


def test_a_report_that_comes_before_its_delivery_is_written_down_is_heard_then(
    patient, group, reach, send, owner_sql
) -> None:
    report("delivered", "fcm-1", "2026-06-09T18:00")
    reach(patient.id, "push")
    send()
    deliveries.hear_early_reports(at=local("2026-06-09T18:01"))
    ((delivered_at,),) = owner_sql("SELECT delivered_at FROM deliveries")
    assert delivered_at == local("2026-06-09T18:00")
    assert owner_sql("SELECT status FROM early_reports") == []


def test_a_report_about_nothing_we_know_is_forgotten_after_a_day(app, owner_sql) -> None:
    report("delivered", "fcm-9", "2026-06-09T18:00")
    deliveries.hear_early_reports(at=local("2026-06-10T17:59"))
    assert len(owner_sql("SELECT status FROM early_reports")) == 1
    deliveries.hear_early_reports(at=local("2026-06-10T18:01"))
    assert owner_sql("SELECT status FROM early_reports") == []


def test_what_became_one_with_a_message_that_reaches_nobody_is_said_after_all(
    patient, enroll, book, reach, send, carriers, rows
) -> None:
    enroll(patient.id)
    book([patient.id], "2026-06-10T09:00")
    reach(patient.id, "push")
    carriers["fcm"].answers = [Outcome(REFUSED, "INVALID_ARGUMENT")]
    assert send() == {"refused": 1}
    (last,) = rows(patient.id, lead="hours_2")
    assert last.state == "planned"


def test_attempts_are_forgotten_after_ninety_days(patient, group, reach, send, owner_sql, travel) -> None:
    reach(patient.id, "push")
    send()
    travel(local("2026-09-07T17:00"))
    assert (worker.prune(), len(kept(owner_sql, patient.id))) == (False, 1)
    travel(local("2026-09-07T19:00"))
    assert (worker.prune(), len(kept(owner_sql, patient.id))) == (False, 0)


def test_what_was_carried_is_written_down_once_the_database_is_back(
    patient, group, reach, send, carriers, rows, monkeypatch
) -> None:
    reach(patient.id, "push")
    monkeypatch.setattr(delivering, "AGAIN_SECONDS", 0.01)
    original, away = delivering.settle, [errors.Unavailable, errors.Unavailable]

    def settle(*arguments: Any, **named: Any) -> None:
        if away:
            raise away.pop()
        original(*arguments, **named)

    monkeypatch.setattr(delivering, "settle", settle)
    assert send() == {"accepted": 1}
    assert rows(patient.id, lead="evening_before")[0].state == "sent"
    assert len(carriers["fcm"].asked) == 1 and not away
