-- Rooms of all MUC services, and what remains of destroyed ones.

CREATE TABLE rooms (
    key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service text NOT NULL,
    local text COLLATE "C" NOT NULL,
    options text NOT NULL,              -- JSON
    name text NOT NULL,
    public boolean NOT NULL,
    persistent boolean NOT NULL,
    search text NOT NULL,               -- local part and name in lower case
    subject text,                       -- null: never set
    subject_author text,
    subject_at bigint,
    occupant_id_salt bytea NOT NULL,
    created_at bigint NOT NULL,
    last_activity_at bigint NOT NULL,
    UNIQUE (service, local)
);
CREATE INDEX rooms_public ON rooms (service, public, local);

CREATE TABLE room_affiliations (
    room bigint NOT NULL REFERENCES rooms ON DELETE CASCADE,
    jid text COLLATE "C" NOT NULL,
    affiliation integer NOT NULL,
    nick text,
    reason text,
    offline_delivery boolean,           -- null: never chosen
    registration text,
    version bigint NOT NULL,
    PRIMARY KEY (room, jid)
);

CREATE INDEX room_affiliations_by_jid ON room_affiliations (jid);

CREATE TABLE room_tombstones (
    room text NOT NULL PRIMARY KEY,
    alternate text NOT NULL,
    reason text NOT NULL,
    until bigint NOT NULL
);

CREATE TABLE nicks (
    service text NOT NULL,
    jid text NOT NULL,
    nick text NOT NULL,
    PRIMARY KEY (service, jid),
    UNIQUE (service, nick)
);
