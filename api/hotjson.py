"""JSON for hot reads as text that PostgreSQL puts together member by member: what is NULL is absent.

`json_agg` and `json_strip_nulls` would write it, parse it and write it again, which for twenty sessions took half as
long again as all else about reading them. Only `text` escapes: `word` is for what cannot hold a quotation mark.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

Text = sa.ColumnElement[str]


@dataclass(frozen=True, slots=True)
class Member:
    """A name and its value as JSON, less the quotation marks where `quoted`."""

    name: str
    said: Any
    quoted: bool = False

    def after(self, mark: str) -> Text:
        """The member behind the mark that goes before it; NULL when its value is."""
        quote = '"' if self.quoted else ""
        return joined(quoted(f'{mark}"{self.name}":{quote}'), self.said, *([quoted(quote)] if quote else []))


def word(name: str, value: Any) -> Member:
    """An id, an instant by `utc`, or a word that a CHECK keeps to a closed list."""
    return Member(name, value, quoted=True)


def text(name: str, value: Any) -> Member:
    """Any text."""
    return Member(name, sa.cast(sa.func.to_json(value), sa.Text))


def value(name: str, value: Any) -> Member:
    """A number, a boolean, or what is JSON already."""
    return Member(name, sa.cast(value, sa.Text))


def object_(first: Member, *others: Member) -> Text:
    """An object of those members that are not NULL; `first` must not be."""
    members = [first.after("{"), *(one.after(",") for one in others)]
    return sa.func.concat(*members, quoted("}"), type_=sa.Text())


def array(items: Any) -> Text:
    """What is left of a column of JSON values without the NULLs, in the order of their rows."""
    return sa.func.concat(quoted("["), sa.func.string_agg(items, quoted(",")), quoted("]"), type_=sa.Text())


def utc(instant: Any) -> Text:
    """RFC 3339, cut to whole seconds: the text of a timestamp with its blank replaced, sooner than by `to_char`."""
    local = sa.func.date_trunc(quoted("second"), sa.func.timezone(quoted("UTC"), instant))
    return joined(sa.func.replace(sa.cast(local, sa.Text), quoted(" "), quoted("T")), quoted("Z"))


def joined(first: Any, *others: Any) -> Text:
    """`||`: one NULL makes the whole NULL."""
    whole = first
    for one in others:
        whole = whole.op("||", return_type=sa.Text())(one)
    whole_text: Text = whole
    return whole_text


def quoted(words: str) -> Text:
    """Words of ours, as they are."""
    return sa.literal_column("'" + words.replace("'", "''") + "'", sa.Text())
