-- One row an entry; `position` is the rowid. Statements end with two semicolons.
CREATE TABLE records (
    position INTEGER PRIMARY KEY,
    id TEXT UNIQUE,
    type TEXT NOT NULL,
    entry BLOB NOT NULL,
    tags BLOB NOT NULL
) STRICT;;

CREATE INDEX records_by_type ON records (type, position);;

-- Finds the events of a tag by type without touching those of other types. Tags and types stand here as numbers that
-- are made from them (`sqlite_keys.py`), so that an entry takes a quarter of the room: with the tags of many people in
-- random order, each commit rewrites as many pages as it has entries, or all of them.
CREATE TABLE tags (
    tag INTEGER NOT NULL,
    type INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (tag, type, position)
) STRICT, WITHOUT ROWID;;

CREATE TRIGGER no_record_changes BEFORE UPDATE ON records
BEGIN SELECT raise(ABORT, 'a record is never changed'); END;;

CREATE TRIGGER no_record_goes BEFORE DELETE ON records
BEGIN SELECT raise(ABORT, 'a record is never deleted'); END
