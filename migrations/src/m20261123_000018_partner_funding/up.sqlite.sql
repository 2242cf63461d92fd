-- Partners whose end users pay themselves: calls debit a wallet of the end user, which the partner fills from its own. And
-- limits that operators have set on end users who were erased: they wait for the name to come back.

-- A partner with a row: each of its end users pays for its own calls. Without one the partner's wallet pays for all.
CREATE TABLE partner_funding (
    partner_id BLOB    NOT NULL PRIMARY KEY REFERENCES partner (id),
    created_us INTEGER NOT NULL
) STRICT;

-- `ended_us`: the end user was erased; whatever is in it, or comes into it, goes to the partner's wallet.
CREATE TABLE end_user_wallet (
    end_user_id BLOB    NOT NULL PRIMARY KEY REFERENCES end_user (id),
    partner_id  BLOB    NOT NULL REFERENCES partner (id),
    wallet      INTEGER NOT NULL UNIQUE REFERENCES ledger_account (id),
    created_us  INTEGER NOT NULL,
    ended_us    INTEGER
) STRICT;
CREATE INDEX end_user_wallet_partner ON end_user_wallet (partner_id);
CREATE INDEX end_user_wallet_ended ON end_user_wallet (end_user_id) WHERE ended_us IS NOT NULL;

-- What a partner has moved into an end user's wallet, or back if it is below zero, by the name that its key gives: the same
-- request moves nothing twice. The money is in the transaction of the same identifier.
CREATE TABLE end_user_transfer (
    id          BLOB    NOT NULL PRIMARY KEY,
    end_user_id BLOB    NOT NULL REFERENCES end_user (id),
    credits     INTEGER NOT NULL CHECK (credits <> 0),
    created_us  INTEGER NOT NULL
) STRICT;

-- The name of an erased end user, as a digest under a key that is not in the database: only whoever says the name finds the
-- limits that an operator has set on it, and they are those of whoever has it next.
CREATE TABLE erased_name (
    digest      BLOB    NOT NULL PRIMARY KEY,
    end_user_id BLOB    NOT NULL UNIQUE REFERENCES end_user (id),
    created_us  INTEGER NOT NULL
) STRICT;
