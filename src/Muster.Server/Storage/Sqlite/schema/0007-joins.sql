-- Which sessions are in which rooms of other servers: after a crash those rooms are told that they are gone.

CREATE TABLE joins (
    session TEXT NOT NULL,              -- full JID
    room TEXT NOT NULL,
    occupant TEXT NOT NULL,             -- the session's address in the room
    PRIMARY KEY (session, room)
) WITHOUT ROWID;
