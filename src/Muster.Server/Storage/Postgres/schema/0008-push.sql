-- Push services that users have registered (XEP-0357), at domains of accounts and at room services. Users may be of
-- other servers, so they are no accounts here.

CREATE TABLE push_registrations (
    host text COLLATE "C" NOT NULL,           -- who pushes
    owner text COLLATE "C" NOT NULL,          -- bare JID
    scope text COLLATE "C" NOT NULL,          -- room; empty: all
    app text COLLATE "C" NOT NULL,            -- the service
    node text COLLATE "C" NOT NULL,
    options text,                -- the form that goes with each push
    filters text,                -- the user's wishes
    device text,
    lang text,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    errors bigint NOT NULL,      -- in a row
    last_error text,
    last_error_at bigint,
    last_push_at bigint,
    last_success_at bigint,
    PRIMARY KEY (host, owner, scope, app, node)
);
CREATE INDEX push_registrations_owner ON push_registrations (owner);
CREATE INDEX push_registrations_age ON push_registrations (updated_at);
