"""Where the facts of a program come from: as it is asked (closed) and as it is read back (open)."""

from schemas.base import Answer, Ask, Text


class SourceFields:
    kind = Text(max=40, required=True)
    title = Text(max=300, required=True)
    author = Text(max=200, required=True)
    author_role = Text(max=200)
    publisher = Text(max=200)
    url = Text(max=500, pattern=r"\Ahttps://[^\s\x00-\x1f]+\Z")


SOURCE = {"kind": "article", "title": "Two programs side by side", "author": "Dr. Robin Example"}


class SourceAsk(SourceFields, Ask):
    """Where the facts come from."""

    example = SOURCE


class SourceAnswer(SourceFields, Answer):
    """Where the facts come from."""

    example = SOURCE
