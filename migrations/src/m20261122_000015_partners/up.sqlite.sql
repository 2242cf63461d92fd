-- What partners do themselves: facts of their own about an end user, and when it was erased; what their calls came to, by
-- days and months, so that nobody scans calls to say so; at which part of a limit they want to be told, and what they were
-- told; where it is sent besides by mail.
ALTER TABLE end_user ADD COLUMN metadata TEXT;
ALTER TABLE end_user ADD COLUMN erased_us INTEGER;

-- `kind`: 1 all calls of a day, 2 of a month, 3 by end user and day, 4 by end user and month, 5 by tool and day, 6 by tool
-- and month. Sums of calls, counted behind them; `count_head` says up to where.
CREATE TABLE partner_usage (
    partner_id BLOB NOT NULL,
    kind       INTEGER NOT NULL,
    start_us   INTEGER NOT NULL,
    subject_id BLOB NOT NULL,
    calls      INTEGER NOT NULL,
    paid_calls INTEGER NOT NULL,
    charged    INTEGER NOT NULL,
    PRIMARY KEY (partner_id, kind, start_us, subject_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE cap_alert (
    id         BLOB NOT NULL PRIMARY KEY,
    partner_id BLOB NOT NULL REFERENCES partner (id),
    owner_id   BLOB NOT NULL,
    owner_kind INTEGER NOT NULL,
    window     INTEGER NOT NULL,
    percent    INTEGER NOT NULL CHECK (percent BETWEEN 1 AND 100),
    email      TEXT,
    created_us INTEGER NOT NULL
) STRICT;
CREATE INDEX cap_alert_partner ON cap_alert (partner_id, id);
CREATE INDEX cap_alert_owner ON cap_alert (owner_id);

-- `key` names what happened: it is told once.
CREATE TABLE partner_event (
    id         BLOB NOT NULL PRIMARY KEY,
    partner_id BLOB NOT NULL REFERENCES partner (id),
    kind       TEXT NOT NULL,
    key        TEXT NOT NULL UNIQUE,
    data       TEXT NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;
CREATE INDEX partner_event_partner ON partner_event (partner_id, id);

CREATE TABLE webhook (
    id         BLOB NOT NULL PRIMARY KEY,
    partner_id BLOB NOT NULL REFERENCES partner (id),
    url        TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    removed_us INTEGER
) STRICT;
CREATE INDEX webhook_partner ON webhook (partner_id, id);

CREATE TABLE webhook_delivery (
    id         BLOB NOT NULL PRIMARY KEY,
    webhook_id BLOB NOT NULL REFERENCES webhook (id),
    event_id   BLOB NOT NULL REFERENCES partner_event (id),
    state      TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    next_us    INTEGER NOT NULL,
    last_error TEXT,
    created_us INTEGER NOT NULL,
    sent_us    INTEGER,
    UNIQUE (webhook_id, event_id)
) STRICT;
CREATE INDEX webhook_delivery_due ON webhook_delivery (state, next_us);
CREATE INDEX webhook_delivery_webhook ON webhook_delivery (webhook_id, id);

-- For which end user of a partner the call was, so that what it carried goes with what is known of that one.
ALTER TABLE payload ADD COLUMN end_user_id BLOB;
CREATE INDEX payload_end_user ON payload (end_user_id) WHERE end_user_id IS NOT NULL;

-- An operator or the configuration set it: whom it limits neither changes nor lifts it. Nobody knows of older ones on tokens
-- (kind 2) who set them: those stay their owners'.
ALTER TABLE cap ADD COLUMN is_imposed INTEGER NOT NULL DEFAULT 1;
UPDATE cap SET is_imposed = 0 WHERE owner_kind = 2;
