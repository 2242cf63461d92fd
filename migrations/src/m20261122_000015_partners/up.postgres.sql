-- What partners do themselves: facts of their own about an end user, and when it was erased; what their calls came to, by
-- days and months, so that nobody scans calls to say so; at which part of a limit they want to be told, and what they were
-- told; where it is sent besides by mail.
ALTER TABLE end_user ADD COLUMN metadata text;
ALTER TABLE end_user ADD COLUMN erased_us bigint;

-- `kind`: 1 all calls of a day, 2 of a month, 3 by end user and day, 4 by end user and month, 5 by tool and day, 6 by tool
-- and month. Sums of calls, counted behind them; `count_head` says up to where.
CREATE TABLE partner_usage (
    partner_id uuid NOT NULL,
    kind       smallint NOT NULL,
    start_us   bigint NOT NULL,
    subject_id uuid NOT NULL,
    calls      bigint NOT NULL,
    paid_calls bigint NOT NULL,
    charged    bigint NOT NULL,
    PRIMARY KEY (partner_id, kind, start_us, subject_id)
);

CREATE TABLE cap_alert (
    id         uuid NOT NULL PRIMARY KEY,
    partner_id uuid NOT NULL REFERENCES partner (id),
    owner_id   uuid NOT NULL,
    owner_kind smallint NOT NULL,
    "window"     smallint NOT NULL,
    percent    smallint NOT NULL CHECK (percent BETWEEN 1 AND 100),
    email      text,
    created_us bigint NOT NULL
);
CREATE INDEX cap_alert_partner ON cap_alert (partner_id, id);
CREATE INDEX cap_alert_owner ON cap_alert (owner_id);

-- `key` names what happened: it is told once.
CREATE TABLE partner_event (
    id         uuid NOT NULL PRIMARY KEY,
    partner_id uuid NOT NULL REFERENCES partner (id),
    kind       text NOT NULL,
    key        text NOT NULL UNIQUE,
    data       text NOT NULL,
    created_us bigint NOT NULL
);
CREATE INDEX partner_event_partner ON partner_event (partner_id, id);

CREATE TABLE webhook (
    id         uuid NOT NULL PRIMARY KEY,
    partner_id uuid NOT NULL REFERENCES partner (id),
    url        text NOT NULL,
    created_us bigint NOT NULL,
    removed_us bigint
);
CREATE INDEX webhook_partner ON webhook (partner_id, id);

CREATE TABLE webhook_delivery (
    id         uuid NOT NULL PRIMARY KEY,
    webhook_id uuid NOT NULL REFERENCES webhook (id),
    event_id   uuid NOT NULL REFERENCES partner_event (id),
    state      text NOT NULL,
    attempts   integer NOT NULL,
    next_us    bigint NOT NULL,
    last_error text,
    created_us bigint NOT NULL,
    sent_us    bigint,
    UNIQUE (webhook_id, event_id)
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (state, next_us);
CREATE INDEX webhook_delivery_webhook ON webhook_delivery (webhook_id, id);

-- For which end user of a partner the call was, so that what it carried goes with what is known of that one.
ALTER TABLE payload ADD COLUMN end_user_id uuid;
CREATE INDEX payload_end_user ON payload (end_user_id) WHERE end_user_id IS NOT NULL;

-- An operator or the configuration set it: whom it limits neither changes nor lifts it. Nobody knows of older ones on tokens
-- (kind 2) who set them: those stay their owners'.
ALTER TABLE cap ADD COLUMN is_imposed boolean NOT NULL DEFAULT true;
UPDATE cap SET is_imposed = false WHERE owner_kind = 2;
