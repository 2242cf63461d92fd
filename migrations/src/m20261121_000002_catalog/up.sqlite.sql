-- Who calls, who sells, what it costs. Times are microseconds since the Unix epoch, amounts micro-credits.

CREATE TABLE account (
    id            BLOB    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL UNIQUE,
    is_verified   INTEGER NOT NULL,
    is_suspended  INTEGER NOT NULL,
    password_hash TEXT,
    wallet        INTEGER NOT NULL UNIQUE REFERENCES ledger_account (id),
    -- sign-ins before this time are void (a new password was set)
    sessions_from_us INTEGER NOT NULL,
    created_us    INTEGER NOT NULL
) STRICT;

CREATE TABLE partner (
    id           BLOB    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL UNIQUE,
    is_suspended INTEGER NOT NULL,
    margin_bps   INTEGER NOT NULL CHECK (margin_bps BETWEEN 0 AND 10000),
    wallet       INTEGER NOT NULL UNIQUE REFERENCES ledger_account (id),
    margin       INTEGER NOT NULL UNIQUE REFERENCES ledger_account (id),
    created_us   INTEGER NOT NULL
) STRICT;

CREATE TABLE end_user (
    id          BLOB    NOT NULL PRIMARY KEY,
    partner_id  BLOB    NOT NULL REFERENCES partner (id),
    external_id TEXT    NOT NULL,
    is_blocked  INTEGER NOT NULL,
    created_us  INTEGER NOT NULL,
    UNIQUE (partner_id, external_id)
) STRICT;

-- A bearer token: the secret's SHA-256, never the secret. It belongs to an account or to a partner.
CREATE TABLE token (
    id         BLOB    NOT NULL PRIMARY KEY,
    account_id BLOB REFERENCES account (id),
    partner_id BLOB REFERENCES partner (id),
    name       TEXT    NOT NULL,
    hint       TEXT    NOT NULL,
    digest     BLOB    NOT NULL UNIQUE,
    created_us INTEGER NOT NULL,
    revoked_us INTEGER,
    CHECK ((account_id IS NULL) <> (partner_id IS NULL))
) STRICT;
CREATE INDEX token_account ON token (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX token_partner ON token (partner_id) WHERE partner_id IS NOT NULL;

CREATE TABLE publisher (
    id           BLOB    NOT NULL PRIMARY KEY,
    slug         TEXT    NOT NULL UNIQUE,
    display_name TEXT    NOT NULL,
    is_suspended INTEGER NOT NULL,
    share_bps    INTEGER NOT NULL CHECK (share_bps BETWEEN 0 AND 10000),
    payable      INTEGER NOT NULL UNIQUE REFERENCES ledger_account (id),
    created_us   INTEGER NOT NULL
) STRICT;

CREATE TABLE namespace (
    id           BLOB    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL UNIQUE,
    publisher_id BLOB    NOT NULL REFERENCES publisher (id),
    description  TEXT    NOT NULL,
    is_suspended INTEGER NOT NULL,
    created_us   INTEGER NOT NULL
) STRICT;
CREATE INDEX namespace_publisher ON namespace (publisher_id);

-- A tool without a namespace is a core tool of the agent gateway.
CREATE TABLE tool (
    id                BLOB    NOT NULL PRIMARY KEY,
    namespace_id      BLOB REFERENCES namespace (id),
    name              TEXT    NOT NULL,
    short_description TEXT    NOT NULL,
    long_description  TEXT    NOT NULL,
    input_schema      TEXT    NOT NULL,
    is_unverified_ok  INTEGER NOT NULL,
    is_suspended      INTEGER NOT NULL,
    upstream_method   TEXT    NOT NULL,
    upstream_url      TEXT    NOT NULL,
    timeout_ms        INTEGER NOT NULL CHECK (timeout_ms > 0),
    created_us        INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX tool_name ON tool (ifnull(namespace_id, x''), name);

-- A price is never changed: a new version takes its place from `effective_from_us` on.
CREATE TABLE price_version (
    id                BLOB    NOT NULL PRIMARY KEY,
    tool_id           BLOB    NOT NULL REFERENCES tool (id),
    effective_from_us INTEGER NOT NULL,
    spec              TEXT    NOT NULL,
    created_us        INTEGER NOT NULL,
    UNIQUE (tool_id, effective_from_us)
) STRICT;
CREATE TRIGGER price_version_no_update BEFORE UPDATE ON price_version
BEGIN SELECT RAISE(ABORT, 'price_version is append-only'); END;

-- A limit on spending: `owner_id` is an account, a token, a partner or an end user; window 1 call, 2 day, 3 month, 4 total.
CREATE TABLE cap (
    id            BLOB    NOT NULL PRIMARY KEY,
    owner_id      BLOB    NOT NULL,
    owner_kind    INTEGER NOT NULL,
    window        INTEGER NOT NULL,
    limit_credits INTEGER NOT NULL CHECK (limit_credits >= 0),
    created_us    INTEGER NOT NULL,
    UNIQUE (owner_id, owner_kind, window)
) STRICT;

-- What the configuration's catalog last brought in: item → hash, so that an edited database is not overwritten.
CREATE TABLE import (
    item TEXT NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL,
    imported_us INTEGER NOT NULL
) STRICT;

-- Rises with every change to catalog, prices, caps, accounts, partners or tokens.
CREATE TABLE version (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO version (name, value) VALUES ('catalog', 0), ('access', 0);

CREATE TABLE purchase (
    id           BLOB    NOT NULL PRIMARY KEY,
    account_id   BLOB    NOT NULL REFERENCES account (id),
    credits      INTEGER NOT NULL CHECK (credits > 0),
    provider     TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    key          TEXT,
    created_us   INTEGER NOT NULL,
    confirmed_us INTEGER,
    UNIQUE (account_id, key)
) STRICT;
CREATE INDEX purchase_account ON purchase (account_id, created_us);

-- Single-use links: sign-up and password setting. The digest of the secret in the link.
CREATE TABLE login_link (
    digest     BLOB    NOT NULL PRIMARY KEY,
    account_id BLOB    NOT NULL REFERENCES account (id),
    expires_us INTEGER NOT NULL,
    used_us    INTEGER
) STRICT;

-- Mail to be sent; written in the transaction of the change that causes it.
CREATE TABLE mail (
    id         BLOB    NOT NULL PRIMARY KEY,
    recipient  TEXT    NOT NULL,
    template   TEXT    NOT NULL,
    data       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    attempts   INTEGER NOT NULL,
    next_us    INTEGER NOT NULL,
    last_error TEXT,
    created_us INTEGER NOT NULL,
    sent_us    INTEGER
) STRICT;
CREATE INDEX mail_due ON mail (next_us) WHERE state = 'queued';
