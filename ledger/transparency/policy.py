"""Whose signatures make a checkpoint valid (C2SP tlog-policy): any of the logs, and a quorum of witnesses."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ledger.transparency.errors import Malformed, Unverified
from ledger.transparency.keys import SignatureType, VerifierKey
from ledger.transparency.strict import decimal, shown

NOBODY: Final = "none"
"""The name of the quorum that is always there."""

_FORBIDDEN = re.compile(rb"[^\x09\x0a\x20-\x7e\x80-\xff]")
_BLANK = re.compile("[ \t]+")
_WHAT = "policy"


class Party(NamedTuple):
    """A log or a witness, and where it is reached if the policy says so."""

    key: VerifierKey
    url: str | None = None


class Group(NamedTuple):
    """A group has witnessed a checkpoint where at least `threshold` of its members have."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """Logs, witnesses, and how many of which of them must have cosigned."""

    logs: tuple[Party, ...] = ()
    witnesses: Mapping[str, Party] = field(default_factory=dict)
    """By the name that they have in this policy only. In the order of the file."""
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str = NOBODY

    @property
    def log_keys(self) -> tuple[VerifierKey, ...]:
        """The keys of the logs."""
        return tuple(log.key for log in self.logs)

    @property
    def witness_keys(self) -> tuple[VerifierKey, ...]:
        """The keys of the witnesses."""
        return tuple(witness.key for witness in self.witnesses.values())

    def is_met(self, cosigners: Collection[VerifierKey]) -> bool:
        """Whether a checkpoint that these have cosigned has its quorum."""
        return self.quorum == NOBODY or self._witnessed(self.quorum, cosigners)

    def require(self, cosigners: Collection[VerifierKey]) -> None:
        """Raises `Unverified` where `is_met` is false."""
        if not self.is_met(cosigners):
            had = [name for name, one in self.witnesses.items() if one.key in cosigners]
            raise Unverified(
                f"the quorum {shown(self.quorum)} is not met: of {len(self.witnesses)} witnesses, "
                f"{len(had)} cosigned ({', '.join(had) or 'nobody'})"
            )

    def _witnessed(self, name: str, cosigners: Collection[VerifierKey]) -> bool:
        if name in self.witnesses:
            return self.witnesses[name].key in cosigners
        group = self.groups[name]
        return sum(self._witnessed(one, cosigners) for one in group.members) >= group.threshold


NO_WITNESSES: Final = Policy()
"""The log's own signature is enough."""


def k_of(threshold: int, witnesses: Iterable[VerifierKey]) -> Policy:
    """At least so many of these witnesses, each named as its key. Raises `ValueError` if that cannot be."""
    keys = tuple(witnesses)
    parties = {key.name: Party(_of_type(key, SignatureType.COSIGNATURE)) for key in keys}
    if not 1 <= threshold <= len(parties) == len(keys):
        raise ValueError(f"a quorum of {threshold} out of {len(parties)} witnesses cannot be")
    return Policy((), parties, {"quorum of": Group(threshold, tuple(parties))}, "quorum of")


def parse_policy(data: bytes) -> Policy:
    """A policy file. Raises `Malformed` with the line."""
    if found := _FORBIDDEN.search(data):
        at = data.count(b"\n", 0, found.start()) + 1
        raise Malformed(_WHAT, f"holds the byte {found[0][0]:#04x}", at)
    # Names are octets without meaning: the escapes keep different ones different.
    text = data.decode("utf-8", "surrogateescape")
    if not text.endswith("\n"):
        raise Malformed(_WHAT, "the last line does not end in a newline")
    reading = _Reading()
    for number, line in enumerate(text[:-1].split("\n"), 1):
        kind, *words = _BLANK.split(line.strip(" \t"))
        if kind and not kind.startswith("#"):
            try:
                reading.line(kind, words)
            except ValueError as error:
                why = error.why if isinstance(error, Malformed) else str(error)
                raise Malformed(_WHAT, why, number) from None
    if reading.quorum is None:
        raise Malformed(_WHAT, "has no quorum line")
    return Policy(tuple(reading.logs), reading.witnesses, reading.groups, reading.quorum)


class _Reading:
    """What the lines so far have defined. Every line may only name what stands before it."""

    def __init__(self) -> None:
        self.logs: list[Party] = []
        self.witnesses: dict[str, Party] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self._members: set[str] = set()

    def line(self, kind: str, words: list[str]) -> None:
        """Raises `ValueError` that says what is wrong with the line."""
        match kind, words:
            case "log", [vkey, *url] if len(url) <= 1:
                self._log(_party(vkey, url, SignatureType.ED25519))
            case "witness", [name, vkey, *url] if len(url) <= 1:
                self._witness(name, _party(vkey, url, SignatureType.COSIGNATURE))
            case "group", [name, threshold, *members] if members:
                self._group(name, threshold, members)
            case "quorum", [name]:
                self._quorum(name)
            case _:
                raise ValueError(
                    f"{shown(' '.join((kind, *words)))} is none of: log KEY [URL], witness NAME KEY [URL], "
                    "group NAME all|any|NUMBER MEMBER…, quorum NAME"
                )

    def _log(self, log: Party) -> None:
        if any(log.key.public == other.key.public for other in self.logs):
            raise ValueError("a log with this public key stands above")
        self.logs.append(log)

    def _witness(self, name: str, witness: Party) -> None:
        self._check_new(name)
        if any(witness.key.public == other.key.public for other in self.witnesses.values()):
            raise ValueError("a witness with this public key stands above")
        self.witnesses[name] = witness

    def _group(self, name: str, threshold: str, members: list[str]) -> None:
        self._check_new(name)
        for member in members:
            self._check_defined(member)
            if member in self._members:
                raise ValueError(f"{shown(member)} is a member for the second time")
            self._members.add(member)
        named = {"any": 1, "all": len(members)}
        least = named[threshold] if threshold in named else decimal(threshold, _WHAT)
        if not 1 <= least <= len(members):
            raise ValueError(f"{least} of {len(members)} members cannot be")
        self.groups[name] = Group(least, tuple(members))

    def _quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise ValueError("a quorum stands above")
        if name != NOBODY:
            self._check_defined(name)
        self.quorum = name

    def _check_new(self, name: str) -> None:
        if name == NOBODY or name in self.witnesses or name in self.groups:
            raise ValueError(f"{shown(name)} has a meaning already")

    def _check_defined(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise ValueError(f"{shown(name)} is no witness and no group that stands above")


def _party(vkey: str, url: list[str], type_: SignatureType) -> Party:
    return Party(_of_type(VerifierKey.parse(vkey), type_), url[0] if url else None)


def _of_type(key: VerifierKey, type_: SignatureType) -> VerifierKey:
    if key.type is not type_:
        raise ValueError(f"{key.name}: the key is of type {key.type:#04x}, not {type_:#04x}")
    return key
