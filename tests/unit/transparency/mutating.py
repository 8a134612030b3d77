"""Every small change of some bytes: none may be read as the same thing."""

from collections.abc import Callable, Iterator
from typing import Any

from ledger.transparency.errors import Malformed

_BYTES = b"\0\t\n\r 0159+-/=AZaz_\x7f\x80\xc2\xe2\xff"


def changed(data: bytes) -> Iterator[bytes]:
    """At each place: a byte gone, doubled, put in, or another in its place."""
    for at in range(len(data) + 1):
        before, here, after = data[:at], data[at : at + 1], data[at + 1 :]
        if here:
            yield before + after
            yield before + here + here + after
            yield before + bytes([here[0] ^ 1]) + after
            yield before + bytes([here[0] ^ 0x20]) + after
        for byte in _BYTES:
            yield before + bytes([byte]) + here + after
            if here:
                yield before + bytes([byte]) + after


def check_strict(
    data: bytes, parse: Callable[[bytes], Any], encode: Callable[[Any], bytes]
) -> None:
    """What is read is written as it was; every changed version is refused, or means something else."""
    meaning = parse(data)
    assert encode(meaning) == data
    refused = 0
    for other in changed(data):
        if other == data:
            continue
        try:
            read = parse(other)
        except Malformed:
            refused += 1
        else:
            assert read != meaning, other
            assert encode(read) == other
    assert refused
