"""Bodies that stop half-way hold no reader up.

A stranger's is not waited for: the token is looked at before the body. One that is sent with a good token holds its
thread until it comes or the connection ends; a few threads are left to those who only read, however many there are of
them. That nobody else could write meanwhile is left to the buffering proxy in front, whose configuration `compose.yaml`
ships.
"""

import socket
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.faults.house import House, served
from tests.run.clones import wait_until

THREADS = 16
MANY = 40
PATIENCE_SECONDS = 3


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with served(tmp_path_factory.mktemp("half-sent"), threads=THREADS) as house:
        yield house


def half_sent(house: House, *, token: str | None) -> socket.socket:
    sent = socket.create_connection(("127.0.0.1", house.port))
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"POST /v1/me/check-ins HTTP/1.1\r\nHost: x\r\n{authorization}Content-Type: application/json\r\n"
    sent.sendall(f'{head}Content-Length: 1000\r\n\r\n{{"id": "half'.encode())
    return sent


def reads(house: House, times: int = 10) -> list[int]:
    return [house.ask("GET", "/v1/me/today", seconds=PATIENCE_SECONDS)[0] for _ in range(times)]


def test_strangers_who_send_half_hold_nobody_up(house: House) -> None:
    clients = [half_sent(house, token=None) for _ in range(8)]
    try:
        assert reads(house) == [200] * 10
        clients[0].settimeout(PATIENCE_SECONDS)
        assert clients[0].recv(20).startswith(b"HTTP/1.1 401")
    finally:
        [client.close() for client in clients]


@pytest.mark.parametrize("number", [8, MANY])
def test_patients_who_send_half_leave_threads_to_readers(house: House, number: int) -> None:
    clients = [half_sent(house, token=house.token) for _ in range(number)]
    try:
        time.sleep(0.5)
        assert reads(house) == [200] * 10
    finally:
        [client.close() for client in clients]


def check_in(house: House) -> tuple[int, bool]:
    """The status of a check-in, and whether the answer says when to come back."""
    now = datetime.now(UTC).isoformat()
    said = {"id": str(uuid.uuid4()), "instrument": "daily", "instrument_version": "1", "answers": []}
    body = {**said, "occurred_at": now, "sent_at": now}
    status, fields, _ = house.ask("POST", "/v1/me/check-ins", body, seconds=PATIENCE_SECONDS)
    return status, "retry-after" in {name.lower() for name in fields}


def test_beside_a_few_others_write_and_beside_many_they_are_told_to_come_back(house: House) -> None:
    clients = [half_sent(house, token=house.token) for _ in range(8)]
    try:
        assert check_in(house) == (201, False)
        clients += [half_sent(house, token=house.token) for _ in range(MANY)]
        time.sleep(1)
        assert check_in(house) == (503, True)
    finally:
        [client.close() for client in clients]
    wait_until(lambda: check_in(house) == (201, False), PATIENCE_SECONDS)


def test_once_they_hang_up_their_threads_are_free(house: House) -> None:
    for _ in range(3):
        clients = [half_sent(house, token=house.token) for _ in range(MANY)]
        time.sleep(0.2)
        [client.close() for client in clients]
        assert reads(house, times=3) == [200] * 3
