-- Sessions that can be resumed (XEP-0198). While the server runs, the count of handled stanzas is all that is kept of
-- them; the rest is written when it stops in order.

CREATE TABLE sessions (
    token text COLLATE "C" NOT NULL PRIMARY KEY,
    account bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    handled bigint NOT NULL,            -- modulo 2^32
    ended_at bigint                     -- null while it lives
);
CREATE INDEX sessions_of_account ON sessions (account, ended_at);

CREATE TABLE session_states (
    token text COLLATE "C" NOT NULL PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    state bytea NOT NULL
);

CREATE TABLE room_occupants (
    room text NOT NULL PRIMARY KEY,
    state bytea NOT NULL
);

-- Whether the last process said goodbye: else what it left behind is not to be relied upon.
CREATE TABLE process (ended_in_order boolean NOT NULL);
INSERT INTO process VALUES (false);
