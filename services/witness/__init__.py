"""A witness: a small server that cosigns the checkpoints of logs as long as they only grow (C2SP tlog-witness)."""
