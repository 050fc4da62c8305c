-- Keys of the server itself: with another one, what was made with the first is void.

CREATE TABLE server_keys (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    value bytea NOT NULL          -- secret
);
