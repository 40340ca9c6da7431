"""The pages that people read: they work without a token and load nothing from elsewhere."""

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from api import app as house
from api import errors, reading
from api.app import Continuum
from tests.knocking import Knocker

STATIC = Path(reading.__file__).parent / "static"
VENDORED = STATIC / "swagger-ui"


class Addresses(HTMLParser):
    """Every address that a page loads or links to, and whether it holds a script of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline_scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [value for name in ("src", "href") if (value := given.get(name))]
        self.inline_scripts += tag == "script" and "src" not in given


def fetched(visitor: Knocker, address: str, **headers: str) -> TestResponse:
    """The whole answer, its file closed."""
    answer = visitor.get(address, headers=headers)
    answer.get_data()
    answer.close()
    return answer


def read(page: str) -> Addresses:
    parser = Addresses()
    parser.feed(page)
    return parser


def test_docs_load_only_what_we_serve(visitor: Knocker) -> None:
    page = fetched(visitor, "/docs")
    addresses = read(page.text)
    assert page.status_code == 200 and addresses.inline_scripts == 0
    assert all(address.startswith(("/", "data:")) for address in addresses.found)
    for address in addresses.found:
        if address.startswith(("/docs/", "/openapi")):
            assert fetched(visitor, address).status_code == 200, address


def test_docs_allow_no_other_origin(visitor: Knocker) -> None:
    policy = fetched(visitor, "/docs").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "http" not in policy and "*" not in policy and "'unsafe-inline'" not in policy.split("style-src")[0]


def test_our_script_sends_the_document_to_nobody() -> None:
    script = (STATIC / "docs.js").read_text()
    assert "validatorUrl: null" in script
    assert not re.search(r"https?:", script)


def test_the_vendored_files_are_the_published_ones() -> None:
    listed = dict(reversed(line.split()) for line in (VENDORED / "VERSION").read_text().splitlines() if "  " in line)
    present = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in VENDORED.iterdir()
        if file.name != "VERSION"
    }
    assert present == listed


@pytest.mark.parametrize("name", ["openapi.json", *(f"openapi/{audience}.json" for audience in reading.AUDIENCES)])
def test_documents_are_served_as_committed(visitor: Knocker, name: str) -> None:
    answer = fetched(visitor, f"/{name}")
    assert answer.data == (reading.DOCUMENTS / Path(name).name).read_bytes()
    assert answer.mimetype == "application/json" and answer.headers["Access-Control-Allow-Origin"] == "*"
    assert fetched(visitor, f"/{name}", **{"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_nobody_elses_document_is_there(visitor: Knocker) -> None:
    assert visitor.get("/openapi/owner.json").status_code == 404
    assert visitor.get("/docs/static/..%2f..%2fconfig.py").status_code == 404


def test_every_problem_has_a_page_in_both_languages(app: Continuum, visitor: Knocker) -> None:
    assert house.operations() and len(errors.REFUSALS) > len(errors.BY_STATUS)
    for slug, refusal in errors.REFUSALS.items():
        page = fetched(visitor, f"/problems/{slug}")
        assert page.status_code == 200, slug
        assert f"/problems/{slug}" in page.text and str(refusal.status) in page.text
        assert 'lang="es"' in page.text and read(page.text).inline_scripts == 0


def test_a_problem_nobody_minted_is_not_there(visitor: Knocker) -> None:
    answer = visitor.get("/problems/made-up")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert visitor.get(urlsplit(answer.json["type"]).path).status_code == 200
