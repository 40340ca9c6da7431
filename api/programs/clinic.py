"""The clinic's door to its programs: read the revision that is out, publish the next one."""

from datetime import date
from typing import Any

from api import answering, clock
from api.blueprint import Door
from api.programs import service as programs
from schemas.program_revisions import ProgramRevisionAnswer, ProgramRevisionAsk

door = Door("programs", kind="clinic", tag="Programs")


@door.get(
    "/programs/<slug>", operation="getProgramRevision", scope="catalogue:read", summary="A program to edit", etag=True
)
@door.answers(ProgramRevisionAnswer)
def get_program_revision(slug: str) -> dict[str, Any]:
    """The revision that readers see now, whole and in both languages; its `ETag` goes into `If-Match`."""
    return _revision(slug)


@door.put(
    "/programs/<slug>", operation="publishProgram", scope="catalogue:write", summary="Publish a revision", if_match=True
)
@door.asks(ProgramRevisionAsk)
@door.answers(ProgramRevisionAnswer)
def publish_program(asked: dict[str, Any], slug: str) -> dict[str, Any]:
    """Replaces the whole description. Readers see the old revision or this one, never a mix, and this one within a
    few seconds. Earlier revisions are kept."""
    programs.publish(
        slug=slug,
        content=ProgramRevisionAsk().dump(asked),
        expected=answering.expected_version(),
        by=answering.caller().acting_user or "",
        at=clock.now(),
    )
    return _revision(slug)


def _revision(slug: str) -> dict[str, Any]:
    program, revision = programs.revision(slug)
    answering.set_version(program.version)
    content = revision.content
    if reviewed := content.get("reviewed_on"):
        content = {**content, "reviewed_on": date.fromisoformat(reviewed)}
    return {
        "id": program.id,
        "slug": program.slug,
        "revision": revision.number,
        "published_at": revision.published_at,
        "published_by": revision.published_by,
        "content": content,
    }
