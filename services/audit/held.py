"""What stands for each person, voter or case: in memory, and behind it, if there is one, what an earlier audit kept."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")

Kept = tuple[str, Iterable[tuple[bytes, bytes | None]]]
"""A space, and what stands there by key; `None` for what ended."""

Load = Callable[[str, bytes], bytes | None]
"""(space, key) → what an earlier audit kept there."""


class Held(dict[bytes, Value | None], Generic[Value]):
    """Values by key. `None` is kept where something ended, so that it is also forgotten by the state file."""

    def __init__(self, space: str) -> None:
        super().__init__()
        self.space = space

    def kept(self, encode: Callable[[Value], bytes]) -> Kept:
        """What a state file is to keep of it."""
        values = self.items()
        return self.space, ((key, None if one is None else encode(one)) for key, one in values)


class Recalled(Held[Value]):
    """The same, where a key that is not here may be known from before. It then holds what this audit asked about."""

    def __init__(self, space: str, load: Load, decode: Callable[[bytes], Value]) -> None:
        super().__init__(space)
        self._load = load
        self._decode = decode

    def get(self, key: bytes, default: Any = None) -> Any:
        """As a dictionary does."""
        if key not in self:
            kept = self._load(self.space, key)
            self[key] = None if kept is None else self._decode(kept)
        found = self[key]
        return default if found is None else found


class Past:
    """What an earlier audit kept: nothing, unless a state file is read (`state`)."""

    def held(self, space: str, decode: Callable[[bytes], Value]) -> Held[Value]:
        """The values of one kind of thing."""
        return Held(space)

    def counted(self, space: str) -> Iterator[tuple[bytes, int]]:
        """All values that were kept there, each with the number of keys that had it."""
        return iter(())

    def knows(self, ids: Iterable[str]) -> bool:
        """Whether there was an event with one of these ids."""
        return False
