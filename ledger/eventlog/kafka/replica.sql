-- How far the replica stands in its topic: the offset from which to read on. One row.
CREATE TABLE progress (
    topic TEXT NOT NULL,
    next_offset INTEGER NOT NULL
) STRICT
