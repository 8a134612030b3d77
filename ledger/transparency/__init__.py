"""Proof that the log is append-only and complete, for anybody: pure functions, bytes in, bytes out (design, section 8).

keys → note → checkpoint (with a policy of witnesses); entries → merkle → tiles; both meet in a proof.
"""
