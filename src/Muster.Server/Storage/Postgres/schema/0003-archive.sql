-- Archived messages. An archive without address is removed; its entries are deleted little by little.

CREATE TABLE archives (
    key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    jid text UNIQUE
);

CREATE TABLE archive_entries (
    archive bigint NOT NULL,            -- of archives; not declared, as checking it for each row costs a tenth
    id bigint NOT NULL,
    at bigint NOT NULL,
    from_jid text NOT NULL,
    with_jid text NOT NULL,
    kind integer NOT NULL,              -- 0 message, 1 subject, 2 tombstone, 3 other
    stanza bytea NOT NULL,
    PRIMARY KEY (archive, id)
);
CREATE INDEX archive_entries_by_time ON archive_entries (archive, at, id);
