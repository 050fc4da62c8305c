-- Tokens with which a client of an account logs in again (XEP-0484). The token itself is not here: it comes from this,
-- the account's keys and a secret of the server's data folder.

CREATE TABLE login_tokens (
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    client TEXT NOT NULL,      -- hash of the id that the client gives itself
    fresh INTEGER NOT NULL,            -- given out, and not used yet
    mechanism TEXT NOT NULL,
    seed BLOB NOT NULL,                -- random
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_count INTEGER NOT NULL,        -- highest count that the client has told; -1: none
    PRIMARY KEY (account, client, fresh)
) WITHOUT ROWID;
CREATE INDEX login_tokens_expiry ON login_tokens (expires_at);
