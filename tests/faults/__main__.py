"""`make faults`: 20,000 due reminders among everything that breaks, and a week without workers. Exits 1 on a miss."""

import sys
import tempfile
from pathlib import Path

from tests.faults import findings, reminders


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        # The database is another user's where we are root.
        Path(folder).chmod(0o755)
        found = reminders.all_of(reminders.FULL, Path(folder))
    print(findings.table(found))
    return 0 if all(one.holds for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
