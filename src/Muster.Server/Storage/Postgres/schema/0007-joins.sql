-- Which sessions are in which rooms of other servers: after a crash those rooms are told that they are gone.

CREATE TABLE joins (
    session text COLLATE "C" NOT NULL,  -- full JID
    room text COLLATE "C" NOT NULL,
    occupant text COLLATE "C" NOT NULL, -- the session's address in the room
    PRIMARY KEY (session, room)
);
