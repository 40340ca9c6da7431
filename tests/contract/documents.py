"""The committed contract, for tests."""

import json

from api import reading
from tests.contract.rules import Json, operations


def committed(name: str) -> Json:
    document: Json = json.loads((reading.DOCUMENTS / f"{name}.json").read_text())
    return document


DOCUMENT = committed("openapi")
NAMED = {operation["operationId"]: operation for _, _, operation in operations(DOCUMENT)}
