"""What a run found, against what it was allowed to find."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A number that must not exceed its `bound`, or must equal it where it is `exact`. Without a bound, for the
    record."""

    name: str
    worth: float
    bound: float | None = None
    exact: bool = True

    @property
    def holds(self) -> bool:
        if self.bound is None:
            return True
        return self.worth == self.bound if self.exact else self.worth <= self.bound

    def row(self) -> str:
        bound = "" if self.bound is None else f"{'=' if self.exact else '≤'} {self.bound:,g}"
        return f"{self.name:<78} {self.worth:>9,g}  {bound:<10} {'' if self.holds else 'MISSED'}".rstrip()


def at_most(name: str, worth: float, bound: float) -> Finding:
    return Finding(name, worth, bound, exact=False)


def table(findings: Sequence[Finding]) -> str:
    return "\n".join(one.row() for one in findings)
