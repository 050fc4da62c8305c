-- Sessions that can be resumed (XEP-0198). While the server runs, the count of handled stanzas is all that is kept of
-- them; the rest is written when it stops in order.

CREATE TABLE sessions (
    token TEXT NOT NULL PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    handled INTEGER NOT NULL,           -- modulo 2^32
    ended_at INTEGER                    -- null while it lives
) WITHOUT ROWID;
CREATE INDEX sessions_of_account ON sessions (account, ended_at);

CREATE TABLE session_states (
    token TEXT NOT NULL PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    state BLOB NOT NULL
);

CREATE TABLE room_occupants (
    room TEXT NOT NULL PRIMARY KEY,
    state BLOB NOT NULL
);

-- Whether the last process said goodbye: else what it left behind is not to be relied upon.
CREATE TABLE process (ended_in_order INTEGER NOT NULL);
INSERT INTO process VALUES (0);
