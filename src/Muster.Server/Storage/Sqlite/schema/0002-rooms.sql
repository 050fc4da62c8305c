-- Rooms of all MUC services, and what remains of destroyed ones.

CREATE TABLE rooms (
    key INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    local TEXT NOT NULL,
    options TEXT NOT NULL,              -- JSON
    name TEXT NOT NULL,
    public INTEGER NOT NULL,
    persistent INTEGER NOT NULL,
    search TEXT NOT NULL,               -- local part and name in lower case
    subject TEXT,                       -- null: never set
    subject_author TEXT,
    subject_at INTEGER,
    occupant_id_salt BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_activity_at INTEGER NOT NULL,
    UNIQUE (service, local)
);
CREATE INDEX rooms_public ON rooms (service, public, local);

CREATE TABLE room_affiliations (
    room INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
    jid TEXT NOT NULL,
    affiliation INTEGER NOT NULL,
    nick TEXT,
    reason TEXT,
    offline_delivery INTEGER,           -- null: never chosen
    registration TEXT,
    version INTEGER NOT NULL,
    PRIMARY KEY (room, jid)
) WITHOUT ROWID;

CREATE INDEX room_affiliations_by_jid ON room_affiliations (jid);

CREATE TABLE room_tombstones (
    room TEXT NOT NULL PRIMARY KEY,
    alternate TEXT NOT NULL,
    reason TEXT NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE nicks (
    service TEXT NOT NULL,
    jid TEXT NOT NULL,
    nick TEXT NOT NULL,
    PRIMARY KEY (service, jid),
    UNIQUE (service, nick)
) WITHOUT ROWID;
