-- Tokens with which a client of an account logs in again (XEP-0484). The token itself is not here: it comes from this,
-- the account's keys and a secret of the server's data folder.

CREATE TABLE login_tokens (
    account bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    client text COLLATE "C" NOT NULL,      -- hash of the id that the client gives itself
    fresh boolean NOT NULL,            -- given out, and not used yet
    mechanism text NOT NULL,
    seed bytea NOT NULL,                -- random
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    last_count bigint NOT NULL,        -- highest count that the client has told; -1: none
    PRIMARY KEY (account, client, fresh)
);
CREATE INDEX login_tokens_expiry ON login_tokens (expires_at);
