-- Accounts and all that goes when they go. Times are Unix microseconds. What is listed in order
-- is ordered by code points, as in SQLite, whatever the locale of the database.

CREATE TABLE accounts (
    key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    domain text NOT NULL,
    local text COLLATE "C" NOT NULL,
    scram_sha1 text,
    scram_sha256 text,
    disabled boolean NOT NULL,
    created_at bigint NOT NULL,
    last_active_at bigint,
    last_status text NOT NULL,
    UNIQUE (domain, local)
);

CREATE TABLE rosters (
    account bigint NOT NULL PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    version bigint NOT NULL,
    complete_since bigint NOT NULL
);

CREATE TABLE roster_items (
    account bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    jid text COLLATE "C" NOT NULL,
    name text NOT NULL,
    groups text NOT NULL,               -- a JSON array, or empty
    subscription integer NOT NULL,      -- 0 none, 1 to, 2 from, 3 both
    pending_out boolean NOT NULL,
    approved boolean NOT NULL,
    pending_in bytea,                   -- the subscribe stanza
    listed boolean NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (account, jid)
);

CREATE TABLE roster_removals (
    account bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    jid text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (account, jid)
);

CREATE TABLE offline_messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    received_at bigint NOT NULL,
    stanza bytea NOT NULL
);
CREATE INDEX offline_messages_of_account ON offline_messages (account, id);

CREATE TABLE account_data (
    key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name text COLLATE "C" NOT NULL,
    document text NOT NULL,
    size integer NOT NULL,              -- bytes of UTF-8
    UNIQUE (account, name)
);

CREATE TABLE invites (
    token text COLLATE "C" NOT NULL PRIMARY KEY,
    kind integer NOT NULL,              -- 1 account, 2 contact, 3 room
    inviter bigint REFERENCES accounts ON DELETE CASCADE, -- null: the operator
    target text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    uses_left integer NOT NULL
);
CREATE INDEX invites_of_inviter ON invites (inviter);

-- Written by the health check: only a write shows that writing works.
CREATE TABLE health (checks bigint NOT NULL);
INSERT INTO health VALUES (0);
