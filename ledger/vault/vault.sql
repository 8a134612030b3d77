-- Statements end with two semicolons. Keys are wrapped by the master key (AES-KW, RFC 3394).
CREATE TABLE IF NOT EXISTS citizens (
    citizen TEXT PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    data_key BLOB NOT NULL,
    pseudonym_key BLOB NOT NULL
) STRICT, WITHOUT ROWID;;

-- One row a private part; the entry of `event_id` commits to exactly one of them by `commitment`.
CREATE TABLE IF NOT EXISTS private_parts (
    event_id TEXT NOT NULL,
    commitment TEXT NOT NULL,
    citizen TEXT NOT NULL,
    event_type TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (event_id, commitment)
) STRICT, WITHOUT ROWID;;

CREATE INDEX IF NOT EXISTS private_parts_by_citizen ON private_parts (citizen);;

CREATE TABLE IF NOT EXISTS question_keys (
    question TEXT PRIMARY KEY,
    key BLOB NOT NULL
) STRICT, WITHOUT ROWID;;

CREATE TABLE IF NOT EXISTS tokens (
    sha256 TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    subject TEXT NOT NULL
) STRICT, WITHOUT ROWID;;

CREATE INDEX IF NOT EXISTS tokens_by_role ON tokens (role, subject)
