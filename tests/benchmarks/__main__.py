"""`make bench`: measures, prints a table, and exits with 1 if a figure was not reached.

Each figure stands beside the same work done by a peer in the same run. Name parts to run only those.
"""

import os
import platform
import sys
from datetime import UTC, datetime

from tests.benchmarks.audit import audit
from tests.benchmarks.decisions import decisions, growth
from tests.benchmarks.http import http
from tests.benchmarks.kafka import kafka
from tests.benchmarks.measuring import Report
from tests.benchmarks.reading import reading
from tests.benchmarks.replay import replay
from tests.benchmarks.stores import stores
from tests.benchmarks.transparency import transparency
from tests.benchmarks.warsaw import warsaw

PARTS = {
    "decisions": decisions,
    "warsaw": warsaw,
    "stores": stores,
    "reading": reading,
    "replay": replay,
    "http": http,
    "growth": growth,
    "kafka": kafka,
    "transparency": transparency,
    "audit": audit,
}


def main(names: list[str]) -> int:
    report = Report()
    for name in names or PARTS:
        print(f"{name} …", flush=True)
        PARTS[name](report)
    day = datetime.now(UTC).date()
    print(f"\nMeasured on {day}, {os.cpu_count()} cores, Python {platform.python_version()}.\n")
    print(report.markdown())
    return 0 if report.reached else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
