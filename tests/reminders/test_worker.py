"""The worker says what is due and still true, once, and writes down what became of the rest."""

import threading

import pytest

from api import db
from api.messages.gateway import Recording
from api.messages.post import Post
from api.reminders import claims, worker
from api.reminders.worker import Turn
from tests.reminders.people import local

EVENING = "2026-06-09T18:00"


def texts(gateway):
    return [message.text for message in gateway.taken.values()]


def test_nothing_is_said_before_it_is_due(group, tick, sent):
    assert tick("2026-06-09T17:59") == {}
    assert sent.attempts == []


def test_what_is_due_is_said_and_written_down(patient, group, tick, sent, rows):
    assert tick(EVENING) == {"accepted": 1}
    (message,) = sent.attempts
    assert message.text == "You have an appointment tomorrow at 6:00 PM. Open the app for details."
    assert (message.recipient, message.channel) == (str(patient.id), "push")
    row = rows(patient.id, state="sent")[0]
    assert (row.lead, row.sent_at, row.text) == ("evening_before", local(EVENING), message.text)
    assert message.key == f"{row.id}:{row.revision}"


def test_what_was_said_is_not_said_again(group, tick, sent):
    tick(EVENING)
    assert tick("2026-06-09T18:05") == {}
    assert len(sent.attempts) == 1


def test_it_is_said_in_the_patients_language(patient, group, tick, sent, owner_sql):
    owner_sql("UPDATE patients SET language = 'es' WHERE id = %s", patient.id)
    tick(EVENING)
    assert texts(sent) == ["Tiene una cita mañana a las 6:00 p. m. Abra la aplicación para ver los detalles."]


def test_what_became_one_is_said_as_one(patient, group, book, tick, sent):
    book([patient.id], "2026-06-10T13:00")
    tick(EVENING)
    assert texts(sent) == [
        "You have 2 appointments tomorrow, the first at 1:00 PM and the last at 6:00 PM. Open the app for details."
    ]


def test_a_move_is_said_once_with_its_new_time(group, change, tick, sent):
    change(group, starts="2026-06-11T18:00", now="2026-06-08T10:00")
    tick("2026-06-08T10:02")
    tick("2026-06-08T10:04")
    assert texts(sent) == [
        "An appointment has changed. It is now on Thursday, June 11 at 6:00 PM. Open the app for details."
    ]


def test_a_move_of_a_session_weeks_ahead_is_said_at_once(patient, enroll, book, change, tick, sent):
    enroll(patient.id)
    far = book([patient.id], "2026-07-15T18:00")
    change(far, starts="2026-07-16T18:00", now="2026-06-08T10:00")
    assert tick("2026-06-08T10:02") == {"accepted": 1}


def test_what_was_planned_about_the_old_self_is_not_said(group, change, tick, sent):
    change(group, starts="2026-06-11T18:00", now="2026-06-08T10:00")
    tick("2026-06-08T10:02")
    tick(EVENING)
    assert len(sent.attempts) == 1


def test_it_asks_again_whether_it_is_still_true(patient, group, tick, sent, rows, owner_sql):
    owner_sql("UPDATE care_sessions SET status = 'cancelled' WHERE id = %s", group)
    assert tick(EVENING) == {"untrue": 1}
    assert sent.attempts == []
    assert {(row.state, row.reason) for row in rows(patient.id)} == {("held", "session_cancelled")}


def test_what_is_too_late_is_not_said_and_says_so(patient, group, tick, sent, rows):
    assert tick("2026-06-09T18:15") == {"late": 1}
    assert sent.attempts == []
    assert [(row.state, row.reason) for row in rows(patient.id, lead="evening_before")] == [("not_sent", "too_late")]


def test_what_gave_way_to_something_too_late_is_said_after_all(patient, enroll, book, tick, sent, rows):
    enroll(patient.id)
    book([patient.id], "2026-06-08T19:30")
    early = book([patient.id], "2026-06-08T20:00")
    assert rows(patient.id, session_id=early, lead="hours_2")[0].reason == "merged"
    tick("2026-06-08T17:50")
    tick("2026-06-08T18:00")
    assert texts(sent) == ["You have an appointment today at 8:00 PM. Open the app for details."]


def test_an_appointment_is_not_spoken_for_by_what_was_said_before_it_was_known(
    patient, group, book, tick, travel, sent, rows
):
    tick(EVENING)
    added = book([patient.id], "2026-06-10T09:00", at=travel(local("2026-06-09T18:30")))
    assert tick("2026-06-09T20:45") == {}, "a second message in one evening"
    assert tick("2026-06-10T08:00") == {"accepted": 1}
    assert texts(sent)[1] == "You have an appointment today at 9:00 AM. Open the app for details."
    assert rows(patient.id, session_id=added, state="sent")[0].reason == "after_another"


def test_what_is_being_said_takes_on_nothing_more(patient, group, book, travel, rows):
    """A plan that is rewritten while a worker makes up its words waits, and then knows what is being said."""
    at = travel(local(EVENING))
    with db.transaction(db.WORKER):
        row, *_ = claims.take(at=at, lease=db.uuid7(), length=worker.LEASE, most=10)
        booking = threading.Thread(target=book, args=([patient.id], "2026-06-10T19:00"), kwargs={"at": at})
        booking.start()
        booking.join(0.5)
        assert booking.is_alive()
    booking.join()
    assert row.id not in {other.replaced_by for other in rows(patient.id)}


def test_what_the_gateway_refuses_is_not_said_and_says_so(patient, group, tick, rows):
    tick(EVENING, gateway=Recording(outcomes={str(patient.id): "refused"}))
    row = rows(patient.id, lead="evening_before")[0]
    assert (row.state, row.reason, row.text) == ("not_sent", "refused", None)


@pytest.mark.parametrize("trouble", ["retry", TimeoutError("slow")], ids=["not now", "no answer"])
def test_what_did_not_work_is_tried_again(patient, group, tick, sent, leases_end, trouble):
    failing = Recording(outcomes={str(patient.id): trouble})
    assert tick(EVENING, gateway=failing) == {"retry": 1}
    assert tick(EVENING) == {}, "a pause lies between two attempts"
    leases_end()
    assert tick("2026-06-09T18:01") == {"accepted": 1}
    assert len(sent.taken) == 1


def test_it_gives_up_after_many_attempts(patient, group, tick, sent, rows, owner_sql):
    owner_sql("UPDATE reminders SET attempts = 10")
    assert tick(EVENING) == {"exhausted": 1}
    assert rows(patient.id, lead="evening_before")[0].reason == "undeliverable"


def test_no_transaction_is_open_while_it_delivers(group, tick, sent):
    class Curious(Recording):
        def deliver(self, message):
            with pytest.raises(LookupError):
                db.session()
            return super().deliver(message)

    assert tick(EVENING, gateway=Curious()) == {"accepted": 1}


@pytest.mark.parametrize(
    "poison",
    [
        "UPDATE patients SET time_zone = 'Nowhere/Ever' WHERE id = %s",
        "UPDATE reminders SET time_zone = '../etc' WHERE patient_id = %s",
    ],
    ids=["a zone of the patient that does not exist", "a zone of the row that is no zone"],
)
def test_a_row_that_cannot_be_read_stops_nobody_else(new_patient, enroll, book, tick, sent, rows, owner_sql, poison):
    members = [new_patient().id for _ in range(3)]
    for member in members:
        enroll(member)
    book(members, "2026-06-10T18:00")
    owner_sql(poison, members[1])
    assert tick(EVENING) == {"accepted": 2, "broken": 1}
    assert {message.recipient for message in sent.attempts} == {str(members[0]), str(members[2])}
    assert rows(members[1], lead="evening_before")[0].state == "planned"


def test_a_row_that_cannot_be_read_ends_as_too_late(patient, group, tick, rows, leases_end, owner_sql):
    owner_sql("UPDATE patients SET time_zone = 'Nowhere/Ever'")
    tick(EVENING)
    leases_end()
    assert tick("2026-06-09T18:20") == {"late": 1}
    assert rows(patient.id, lead="evening_before")[0].reason == "too_late"


def test_two_workers_take_different_rows(new_patient, enroll, book, travel):
    members = [new_patient().id for _ in range(4)]
    for member in members:
        enroll(member)
    book(members, "2026-06-10T18:00")
    turns = [Turn(Post(house=Recording()), at=travel(local(EVENING))) for _ in range(2)]
    taken = [{one.row.patient_id for one in turn.take(worker.LEASE, 2)[0]} for turn in turns]
    assert taken[0] | taken[1] == set(members)
    assert not taken[0] & taken[1]


def die_after_delivering(gateway, at):
    """A worker that is killed before it could write down what the gateway accepted."""
    _, ways = Turn(Post(house=gateway), at=at).take(worker.LEASE, 10)
    for way in ways:
        gateway.deliver(way.message)


def test_a_worker_that_died_after_delivering_has_nothing_said_twice(
    patient, group, tick, sent, travel, rows, leases_end
):
    die_after_delivering(sent, travel(local(EVENING)))
    assert tick(EVENING) == {}, "the lease still holds"
    leases_end()
    assert tick("2026-06-09T18:02") == {"accepted": 1}
    assert (len(sent.attempts), len(sent.taken)) == (2, 1)
    assert rows(patient.id, lead="evening_before")[0].state == "sent"


@pytest.mark.parametrize("later", ["2026-06-09T18:02", "2026-06-09T19:00"], ids=["no longer true", "too late"])
def test_what_a_dead_worker_delivered_was_said_whatever_happened_since(
    patient, group, tick, sent, travel, rows, leases_end, owner_sql, later
):
    die_after_delivering(sent, travel(local(EVENING)))
    owner_sql("UPDATE care_sessions SET status = 'cancelled' WHERE id = %s", group)
    leases_end()
    tick(later)
    assert len(sent.attempts) == 1
    assert rows(patient.id, lead="evening_before")[0].state == "sent"


def test_what_a_dead_worker_delivered_was_said_though_the_plan_was_rewritten_since(
    patient, group, change, tick, sent, travel, rows, leases_end
):
    die_after_delivering(sent, travel(local(EVENING)))
    leases_end()
    change(group, starts="2026-06-10T18:00", status="cancelled", now="2026-06-09T18:01")
    tick("2026-06-09T18:02")
    assert rows(patient.id, lead="evening_before")[0].state == "sent"
    assert len({message.key for message in sent.attempts}) == len(sent.attempts)


def test_a_worker_that_lost_its_lease_writes_nothing(patient, group, tick, sent, travel, rows, leases_end):
    refusing = Recording(outcomes={str(patient.id): "refused"})
    slow = Turn(Post(house=refusing), at=travel(local(EVENING)))
    _, ways = slow.take(worker.LEASE, 10)
    leases_end()
    tick("2026-06-09T18:03")
    assert slow.deliver(ways, deadline=float("inf")) == {"refused": 1}
    row = rows(patient.id, lead="evening_before")[0]
    assert (row.state, row.sent_at) == ("sent", local("2026-06-09T18:03"))


def test_what_there_was_no_time_to_deliver_is_given_back(new_patient, enroll, book, travel, sent, tick):
    members = [new_patient().id for _ in range(2)]
    for member in members:
        enroll(member)
    book(members, "2026-06-10T18:00")
    turn = Turn(Post(house=sent), at=travel(local(EVENING)))
    _, ways = turn.take(worker.LEASE, 10)
    assert turn.deliver(ways, deadline=0) == {"untried": 2}
    assert sent.attempts == []
    assert tick(EVENING) == {"accepted": 2}


def test_leases_go_by_the_databases_clock(group, travel, tick, sent):
    Turn(Post(house=sent), at=travel(local(EVENING))).take(worker.LEASE, 10)
    assert tick("2026-06-09T18:10") == {}, "a worker whose own clock is ten minutes ahead steals nothing"


def test_run_sends_by_the_gateway_in_use(group, travel, sent, monkeypatch):
    monkeypatch.setattr("api.messages.gateway._in_use", sent)
    travel(local(EVENING))
    assert worker.run() is False
    assert len(sent.taken) == 1


def test_run_says_when_more_is_due(group, travel, sent, monkeypatch):
    monkeypatch.setattr("api.messages.gateway._in_use", sent)
    monkeypatch.setattr(worker, "BATCH", 1)
    travel(local(EVENING))
    assert worker.run() is True


def test_changes_that_were_said_as_one_are_not_said_again(patient, group, book, change, tick, sent, rewrite):
    other = book([patient.id], "2026-06-11T18:00")
    change(group, starts="2026-06-10T19:00", now="2026-06-08T10:00")
    change(other, starts="2026-06-11T19:00", now="2026-06-08T10:01")
    tick("2026-06-08T10:03")
    rewrite(patient.id, at=local("2026-06-08T10:10"))
    assert tick("2026-06-08T10:11") == {}
    assert texts(sent) == [
        "There is news about your appointments. One of them is on Wednesday, June 10 at 7:00 PM."
        " Open the app for details."
    ]


def test_what_fell_due_when_its_quiet_hours_began_earlier_is_late(patient, group, tick, sent, rows, owner_sql):
    owner_sql(
        "INSERT INTO reminder_preferences (patient_id, channels, leads, first_leads, quiet_begin, quiet_end,"
        " changed_at, preferences_version, version)"
        " VALUES (%s, '{app}', '{evening_before}', '{}', '17:00', '08:00', now(), 1, 1)",
        patient.id,
    )
    assert tick(EVENING) == {"late": 1}
    assert rows(patient.id, lead="evening_before")[0].reason == "too_late"
    assert tick(EVENING) == {}
