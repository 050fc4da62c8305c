-- Archived messages. An archive without address is removed; its entries are deleted little by little.

CREATE TABLE archives (
    key INTEGER PRIMARY KEY,
    jid TEXT UNIQUE
);

CREATE TABLE archive_entries (
    archive INTEGER NOT NULL,           -- of archives; not declared, as checking it for each row costs a tenth
    id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    from_jid TEXT NOT NULL,
    with_jid TEXT NOT NULL,
    kind INTEGER NOT NULL,              -- 0 message, 1 subject, 2 tombstone, 3 other
    stanza BLOB NOT NULL,
    UNIQUE (archive, id)
);
CREATE INDEX archive_entries_by_time ON archive_entries (archive, at, id);
