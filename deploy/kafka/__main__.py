"""`make kafka`: a broker and the topic of a log, until Ctrl-C."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.kafka.broker import CannotStart, Cluster, version


def main(
    port: Annotated[int, typer.Option(help="Of 127.0.0.1, for clients.")] = 9092,
    topic: Annotated[str, typer.Option(help="Made unless it is there.")] = "civic-ledger",
    data: Annotated[Path, typer.Option(help="Kept, and found again.")] = Path("var/kafka/data"),
) -> None:
    """Run one broker of Apache Kafka, with the topic of a log."""
    for ends in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ends, signal.default_int_handler)
    try:
        with Cluster(data.resolve(), port=port, lasting=True) as kafka:
            _serve(kafka, topic)
    except CannotStart as error:
        sys.exit(str(error))


def _serve(kafka: Cluster, topic: str) -> None:
    (broker,) = kafka.brokers
    try:
        kafka.start()
        with kafka.admin() as admin:
            found = topic in admin.list_topics()
        if not found:
            kafka.create_topic(topic)
        print(f"Kafka {version()} keeps its data in {kafka.folder}. Ctrl-C stops it.")
        print(f"CIVIC_LOG=kafka://{kafka.bootstrap}/{topic}", flush=True)
        broker.wait()
    except KeyboardInterrupt:
        kafka.stop()
    else:
        sys.exit(f"The broker has ended; what it said is in {broker.log}")


if __name__ == "__main__":
    typer.run(main)
