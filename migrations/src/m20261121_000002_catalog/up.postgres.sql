-- Who calls, who sells, what it costs. Times are microseconds since the Unix epoch, amounts micro-credits.

CREATE TABLE account (
    id               uuid    NOT NULL PRIMARY KEY,
    email            text    NOT NULL UNIQUE,
    is_verified      boolean NOT NULL,
    is_suspended     boolean NOT NULL,
    password_hash    text,
    wallet           bigint  NOT NULL UNIQUE REFERENCES ledger_account (id),
    -- sign-ins before this time are void (a new password was set)
    sessions_from_us bigint  NOT NULL,
    created_us       bigint  NOT NULL
);

CREATE TABLE partner (
    id           uuid    NOT NULL PRIMARY KEY,
    name         text    NOT NULL UNIQUE,
    is_suspended boolean NOT NULL,
    margin_bps   integer NOT NULL CHECK (margin_bps BETWEEN 0 AND 10000),
    wallet       bigint  NOT NULL UNIQUE REFERENCES ledger_account (id),
    margin       bigint  NOT NULL UNIQUE REFERENCES ledger_account (id),
    created_us   bigint  NOT NULL
);

CREATE TABLE end_user (
    id          uuid    NOT NULL PRIMARY KEY,
    partner_id  uuid    NOT NULL REFERENCES partner (id),
    external_id text    NOT NULL,
    is_blocked  boolean NOT NULL,
    created_us  bigint  NOT NULL,
    UNIQUE (partner_id, external_id)
);

-- A bearer token: the secret's SHA-256, never the secret. It belongs to an account or to a partner.
CREATE TABLE token (
    id         uuid   NOT NULL PRIMARY KEY,
    account_id uuid   REFERENCES account (id),
    partner_id uuid   REFERENCES partner (id),
    name       text   NOT NULL,
    hint       text   NOT NULL,
    digest     bytea  NOT NULL UNIQUE,
    created_us bigint NOT NULL,
    revoked_us bigint,
    CHECK ((account_id IS NULL) <> (partner_id IS NULL))
);
CREATE INDEX token_account ON token (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX token_partner ON token (partner_id) WHERE partner_id IS NOT NULL;

CREATE TABLE publisher (
    id           uuid    NOT NULL PRIMARY KEY,
    slug         text    NOT NULL UNIQUE,
    display_name text    NOT NULL,
    is_suspended boolean NOT NULL,
    share_bps    integer NOT NULL CHECK (share_bps BETWEEN 0 AND 10000),
    payable      bigint  NOT NULL UNIQUE REFERENCES ledger_account (id),
    created_us   bigint  NOT NULL
);

CREATE TABLE namespace (
    id           uuid    NOT NULL PRIMARY KEY,
    name         text    NOT NULL UNIQUE,
    publisher_id uuid    NOT NULL REFERENCES publisher (id),
    description  text    NOT NULL,
    is_suspended boolean NOT NULL,
    created_us   bigint  NOT NULL
);
CREATE INDEX namespace_publisher ON namespace (publisher_id);

-- A tool without a namespace is a core tool of the agent gateway; its name is unique among those.
CREATE TABLE tool (
    id                uuid    NOT NULL PRIMARY KEY,
    namespace_id      uuid    REFERENCES namespace (id),
    name              text    NOT NULL,
    short_description text    NOT NULL,
    long_description  text    NOT NULL,
    input_schema      text    NOT NULL,
    is_unverified_ok  boolean NOT NULL,
    is_suspended      boolean NOT NULL,
    upstream_method   text    NOT NULL,
    upstream_url      text    NOT NULL,
    timeout_ms        bigint  NOT NULL CHECK (timeout_ms > 0),
    created_us        bigint  NOT NULL
);
CREATE UNIQUE INDEX tool_name ON tool (namespace_id, name) NULLS NOT DISTINCT;

-- A price is never changed: a new version takes its place from `effective_from_us` on.
CREATE TABLE price_version (
    id                uuid   NOT NULL PRIMARY KEY,
    tool_id           uuid   NOT NULL REFERENCES tool (id),
    effective_from_us bigint NOT NULL,
    spec              text   NOT NULL,
    created_us        bigint NOT NULL,
    UNIQUE (tool_id, effective_from_us)
);
CREATE TRIGGER price_version_no_update BEFORE UPDATE ON price_version FOR EACH ROW EXECUTE FUNCTION forbid_change();

-- A limit on spending: `owner_id` is an account, a token, a partner or an end user; window 1 call, 2 day, 3 month,
-- 4 total.
CREATE TABLE cap (
    id            uuid     NOT NULL PRIMARY KEY,
    owner_id      uuid     NOT NULL,
    owner_kind    smallint NOT NULL,
    "window"      smallint NOT NULL,
    limit_credits bigint   NOT NULL CHECK (limit_credits >= 0),
    created_us    bigint   NOT NULL,
    UNIQUE (owner_id, owner_kind, "window")
);

-- What the configuration's catalog last brought in: item → hash, so that an edited database is not overwritten.
CREATE TABLE import (
    item        text   NOT NULL PRIMARY KEY,
    hash        bytea  NOT NULL,
    imported_us bigint NOT NULL
);

-- Rises with every change to catalog, prices, caps, accounts, partners or tokens; every server looks at it again and
-- again.
CREATE TABLE version (
    name  text   NOT NULL PRIMARY KEY,
    value bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO version (name, value) VALUES ('catalog', 0), ('access', 0);

CREATE TABLE purchase (
    id           uuid   NOT NULL PRIMARY KEY,
    account_id   uuid   NOT NULL REFERENCES account (id),
    credits      bigint NOT NULL CHECK (credits > 0),
    provider     text   NOT NULL,
    status       text   NOT NULL,
    key          text,
    created_us   bigint NOT NULL,
    confirmed_us bigint,
    UNIQUE (account_id, key)
);
CREATE INDEX purchase_account ON purchase (account_id, created_us);

-- Single-use links: sign-up and password setting. The digest of the secret in the link.
CREATE TABLE login_link (
    digest     bytea  NOT NULL PRIMARY KEY,
    account_id uuid   NOT NULL REFERENCES account (id),
    expires_us bigint NOT NULL,
    used_us    bigint
);

-- Mail to be sent; written in the transaction of the change that causes it.
CREATE TABLE mail (
    id         uuid    NOT NULL PRIMARY KEY,
    recipient  text    NOT NULL,
    template   text    NOT NULL,
    data       text    NOT NULL,
    state      text    NOT NULL,
    attempts   integer NOT NULL,
    next_us    bigint  NOT NULL,
    last_error text,
    created_us bigint  NOT NULL,
    sent_us    bigint
);
CREATE INDEX mail_due ON mail (next_us) WHERE state = 'queued';
