"""The figures of checkpoints and witnesses (Prometheus), looked up when they are asked for."""

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from projections.tree.publishing import TreeStatus


class CheckpointFigures(Collector):
    """Sizes are in entries; a difference to `civic_log_position` is what no checkpoint covers yet."""

    def __init__(self, status: Callable[[], TreeStatus]) -> None:
        self._status = status

    def describe(self) -> list[GaugeMetricFamily]:
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = self._status()
        for name, about, value in (
            ("published_size", "Entries below the published checkpoint", now.published),
            ("signed_size", "Entries below the checkpoint that was signed last", now.signed),
            (
                "published_timestamp_seconds",
                "When this process published a checkpoint last",
                now.published_at,
            ),
            ("held_back", "1: too few witnesses cosign", now.held_back is not None),
            ("refused", "1: the log is not the one that was signed", now.refused is not None),
        ):
            if value is not None:
                yield GaugeMetricFamily(f"civic_checkpoint_{name}", about, float(value))
        missing = GaugeMetricFamily(
            "civic_witness_missing",
            "1: the witness did not cosign the last checkpoint",
            labels=("witness",),
        )
        for name in now.missing:
            missing.add_metric((name,), 1.0)
        yield missing
