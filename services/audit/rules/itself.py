"""What the ledger says of itself: which key signs its checkpoints, and what its read models held."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.audit.findings import Findings, Kind
from services.audit.rules.places import Data


class Itself:
    """The keys in their order, and how far each read model was attested."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.keys: list[str] = []
        """Public keys as they are published, each trusted by the one before it. Empty if there was one only."""
        self.attested = 0
        """Digests of read models: of tables that this program does not fill, so that it cannot compare them."""
        self._models: dict[str, list[int]] = {}

    def rotated(self, at: int, data: Data) -> None:
        if not self.keys:
            self.keys.append(data["previous"])
        if self.keys[-1] != data["previous"] or data["vkey"] in self.keys:
            expected = f"a new key in place of {self.keys[-1]}"
            self._findings.add(Kind.KEY, at, f"a key in place of {data['previous']}", expected)
        self.keys.append(data["vkey"])

    def attests(self, at: int, data: Data) -> None:
        self.attested += 1
        version, position = self._models.get(data["model"], (0, -1))
        if data["position"] >= at:
            found = f"a digest of {data['model']!r} for position {data['position']:,}"
            self._findings.add(Kind.DIGEST, at, found, "for a position before its own")
        elif data["version"] == version and data["position"] <= position:
            found = f"a second digest of {data['model']!r} for position {data['position']:,}"
            self._findings.add(Kind.DIGEST, at, found, f"for a position after {position:,}")
        self._models[data["model"]] = [data["version"], data["position"]]

    def dump(self) -> dict[str, Any]:
        return {"keys": self.keys, "attested": self.attested, "models": self._models}

    def load(self, kept: Mapping[str, Any]) -> None:
        self.keys, self.attested, self._models = kept["keys"], kept["attested"], kept["models"]


def successors(trusted: Iterable[str], keys: list[str]) -> list[str]:
    """The keys that a log which was found right has named as the successors of trusted ones."""
    trusted = set(trusted)
    first = next((at for at, key in enumerate(keys) if key in trusted), len(keys))
    return keys[first + 1 :]
