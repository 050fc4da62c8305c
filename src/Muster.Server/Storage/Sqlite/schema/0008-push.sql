-- Push services that users have registered (XEP-0357), at domains of accounts and at room services. Users may be of
-- other servers, so they are no accounts here.

CREATE TABLE push_registrations (
    host TEXT NOT NULL,           -- who pushes
    owner TEXT NOT NULL,          -- bare JID
    scope TEXT NOT NULL,          -- room; empty: all
    app TEXT NOT NULL,            -- the service
    node TEXT NOT NULL,
    options TEXT,                -- the form that goes with each push
    filters TEXT,                -- the user's wishes
    device TEXT,
    lang TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    errors INTEGER NOT NULL,      -- in a row
    last_error TEXT,
    last_error_at INTEGER,
    last_push_at INTEGER,
    last_success_at INTEGER,
    PRIMARY KEY (host, owner, scope, app, node)
) WITHOUT ROWID;
CREATE INDEX push_registrations_owner ON push_registrations (owner);
CREATE INDEX push_registrations_age ON push_registrations (updated_at);
