"""The gateways take each key once, and say so."""

import json
import threading
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from api.messages import gateway, post
from api.messages.gateway import ACCEPTED, Console, Message, Outbox, Recording


def message(key="1", recipient="somebody"):
    return Message(key, "app", recipient, "You have an appointment tomorrow at 6:00 PM.", "en", UUID(int=1))


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_outbox_takes_a_key_once_and_records_the_second_attempt(tmp_path):
    outbox = Outbox(tmp_path / "sent" / "outbox.jsonl")
    assert [outbox.deliver(message()), outbox.deliver(message())] == [ACCEPTED, ACCEPTED]
    assert [line["accepted"] for line in lines(tmp_path / "sent" / "outbox.jsonl")] == [True, False]


def test_another_process_knows_what_was_taken(tmp_path):
    mine, theirs = Outbox(tmp_path / "outbox"), Outbox(tmp_path / "outbox")
    mine.deliver(message())
    assert theirs.accepted(["1", "2"]) == {"1"}
    theirs.deliver(message())
    assert [line["accepted"] for line in lines(tmp_path / "outbox")] == [True, False]


def test_many_senders_at_once_have_a_key_taken_once(tmp_path):
    senders = [threading.Thread(target=send_twenty, args=(tmp_path / "outbox",)) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    sent = lines(tmp_path / "outbox")
    assert len(sent) == 80
    assert sorted(line["key"] for line in sent if line["accepted"]) == sorted(map(str, range(20)))


def send_twenty(path):
    outbox = Outbox(path)
    for number in range(20):
        outbox.deliver(message(str(number)))


def test_a_line_left_half_written_is_no_attempt(tmp_path):
    path = tmp_path / "outbox"
    Outbox(path).deliver(message())
    with path.open("ab") as file:
        file.write(b'{"key": "2", "acc')
    outbox = Outbox(path)
    outbox.deliver(message("2"))
    assert [(line["key"], line["accepted"]) for line in lines(path)] == [("1", True), ("2", True)]


def test_an_outbox_that_was_emptied_begins_anew(tmp_path):
    outbox = Outbox(tmp_path / "outbox")
    outbox.deliver(message())
    (tmp_path / "outbox").write_text("")
    assert outbox.accepted(["1"]) == frozenset()


def test_the_console_does_not_show_whom_it_is_for(monkeypatch):
    shown = []
    monkeypatch.setattr(gateway.log, "info", lambda event, **values: shown.append(str(values)), raising=False)
    assert Console().deliver(message(recipient="+1 555 0100")) == ACCEPTED
    assert "tomorrow at 6:00 PM" in shown[0]
    assert "555" not in shown[0]


def test_the_fake_answers_as_it_was_told():
    fake = Recording(outcomes={"never": "refused", "trouble": TimeoutError("slow")})
    assert fake.deliver(message("1")) == ACCEPTED
    assert fake.deliver(message("2", "never")) == "refused"
    with pytest.raises(TimeoutError):
        fake.deliver(message("3", "trouble"))
    assert (list(fake.taken), len(fake.attempts), fake.accepted(["1", "2"])) == (["1"], 3, {"1"})


def test_a_deployment_without_an_outbox_writes_to_the_console(tmp_path):
    assert isinstance(gateway.of(None), Console)
    assert isinstance(gateway.of(tmp_path / "outbox"), Outbox)


def test_a_lane_speaks_to_a_phone_in_its_language():
    taken = []

    class Courier:
        name = "fcm"

        def send(self, message, _address):
            taken.append((message.language, message.text))
            return gateway.Outcome(gateway.ACCEPTED)

    address = gateway.Address(uuid4(), "push", "fcm", "a-token", datetime.now(UTC), {"language": "es"})
    lane = post.Lane(Courier())
    lane.send(gateway.Message("k", "push", "r", "Hello.", "en", worded={"es": "Hola."}.__getitem__), address)
    lane.close()
    assert taken == [("es", "Hola.")]
