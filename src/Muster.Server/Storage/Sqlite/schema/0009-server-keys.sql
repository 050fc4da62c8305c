-- Keys of the server itself: with another one, what was made with the first is void.

CREATE TABLE server_keys (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL           -- secret
) WITHOUT ROWID;
