"""What can be wrong with bytes that came from elsewhere."""


class Malformed(ValueError):
    """The bytes are not of their format. Whoever sent them must send others; the message says what is wrong, where."""

    def __init__(self, what: str, why: str, line: int | None = None) -> None:
        self.what = what
        """The format, in words."""
        self.why = why
        self.line = line
        """Counted from 1, in formats made of lines."""
        super().__init__(f"{what}, line {line}: {why}" if line else f"{what}: {why}")


class Unverified(Exception):
    """Well-formed, and not proven: nobody may rely on it. The message says which proof is missing or false."""
