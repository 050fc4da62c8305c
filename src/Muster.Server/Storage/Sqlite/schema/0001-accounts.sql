-- Accounts and all that goes when they go. Times are Unix microseconds, booleans 0 or 1.

CREATE TABLE accounts (
    key INTEGER PRIMARY KEY,
    domain TEXT NOT NULL,
    local TEXT NOT NULL,
    scram_sha1 TEXT,
    scram_sha256 TEXT,
    disabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_active_at INTEGER,
    last_status TEXT NOT NULL,
    UNIQUE (domain, local)
);

CREATE TABLE rosters (
    account INTEGER NOT NULL PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    version INTEGER NOT NULL,
    complete_since INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE roster_items (
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    jid TEXT NOT NULL,
    name TEXT NOT NULL,
    groups TEXT NOT NULL,               -- a JSON array, or empty
    subscription INTEGER NOT NULL,      -- 0 none, 1 to, 2 from, 3 both
    pending_out INTEGER NOT NULL,
    approved INTEGER NOT NULL,
    pending_in BLOB,                    -- the subscribe stanza
    listed INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (account, jid)
) WITHOUT ROWID;

CREATE TABLE roster_removals (
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    jid TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (account, jid)
) WITHOUT ROWID;

CREATE TABLE offline_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,-- an id never comes back: "remove up to id" must not hit a later message
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    received_at INTEGER NOT NULL,
    stanza BLOB NOT NULL
);
CREATE INDEX offline_messages_of_account ON offline_messages (account, id);

CREATE TABLE account_data (
    key INTEGER PRIMARY KEY,            -- documents are too large for the rows of a WITHOUT ROWID table
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    size INTEGER NOT NULL,              -- bytes of UTF-8
    UNIQUE (account, name)
);

CREATE TABLE invites (
    token TEXT NOT NULL PRIMARY KEY,
    kind INTEGER NOT NULL,              -- 1 account, 2 contact, 3 room
    inviter INTEGER REFERENCES accounts ON DELETE CASCADE, -- null: the operator
    target TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    uses_left INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX invites_of_inviter ON invites (inviter);

-- Written by the health check: only a write shows that writing works.
CREATE TABLE health (checks INTEGER NOT NULL);
INSERT INTO health VALUES (0);
