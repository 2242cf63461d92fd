-- What a ledger without batches does in PostgreSQL: a transaction for every step, rows locked in the order of the
-- accounts. The shape is that of pgledger (https://github.com/pgr0ss/pgledger), written anew and leaner: for every
-- transfer both accounts are updated and two entries written that remember the balance before and after. Everything
-- that belongs to one transaction is one call of a function, so that no lock is held over a round trip.

CREATE TABLE account (
    id           bigint  NOT NULL PRIMARY KEY,
    balance      bigint  NOT NULL,
    held         bigint  NOT NULL DEFAULT 0,
    version      bigint  NOT NULL DEFAULT 0,
    is_limited   boolean NOT NULL,
    CHECK (NOT is_limited OR balance - held >= 0)
) WITH (fillfactor = 50);

CREATE TABLE transfer (
    id          bigint      NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      bigint      NOT NULL,
    target      bigint      NOT NULL,
    amount      bigint      NOT NULL CHECK (amount > 0),
    recorded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE entry (
    id             bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id     bigint NOT NULL,
    transfer_id    bigint NOT NULL,
    amount         bigint NOT NULL,
    balance_before bigint NOT NULL,
    balance_after  bigint NOT NULL,
    version        bigint NOT NULL
);
CREATE INDEX entry_account ON entry (account_id);
CREATE INDEX entry_transfer ON entry (transfer_id);

CREATE TABLE hold (
    id          bigint  NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    wallet      bigint  NOT NULL,
    amount      bigint  NOT NULL,
    is_captured boolean NOT NULL DEFAULT false
) WITH (fillfactor = 80);

-- 1 is the platform, 2 the publisher; both are credited by every charge.
INSERT INTO account (id, balance, is_limited) VALUES (1, 0, false), (2, 0, false);
INSERT INTO account (id, balance, is_limited)
    SELECT id, 1000000000000000, true FROM generate_series(1001, 1000 + :wallets) AS id;

-- Both accounts are locked by the caller.
CREATE FUNCTION move_money(source bigint, target bigint, amount bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    made           bigint;
    source_balance bigint;
    source_version bigint;
    target_balance bigint;
    target_version bigint;
BEGIN
    INSERT INTO transfer (source, target, amount) VALUES (move_money.source, move_money.target, move_money.amount)
        RETURNING id INTO made;
    UPDATE account SET balance = balance - move_money.amount, version = version + 1 WHERE id = move_money.source
        RETURNING balance, version INTO source_balance, source_version;
    UPDATE account SET balance = balance + move_money.amount, version = version + 1 WHERE id = move_money.target
        RETURNING balance, version INTO target_balance, target_version;
    INSERT INTO entry (account_id, transfer_id, amount, balance_before, balance_after, version) VALUES
        (move_money.source, made, -move_money.amount, source_balance + move_money.amount, source_balance, source_version),
        (move_money.target, made, move_money.amount, target_balance - move_money.amount, target_balance, target_version);
END
$$;

-- pgledger's own work: a charge in one transaction, without a hold before it.
CREATE FUNCTION charge(wallet bigint, share bigint, fee bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM account WHERE id IN (1, 2, wallet) ORDER BY id FOR UPDATE;
    PERFORM move_money(wallet, 2, share);
    PERFORM move_money(wallet, 1, fee);
END
$$;

-- Tollgate's work, first half: the money is reserved.
CREATE FUNCTION place_hold(wallet bigint, amount bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
BEGIN
    PERFORM FROM account WHERE id = wallet FOR UPDATE;
    UPDATE account SET held = held + place_hold.amount, version = version + 1 WHERE id = wallet;
    INSERT INTO hold (wallet, amount) VALUES (place_hold.wallet, place_hold.amount) RETURNING id INTO made;
    RETURN made;
END
$$;

-- Second half: what was reserved is paid, once.
CREATE FUNCTION capture(named bigint, share bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found hold;
BEGIN
    UPDATE hold SET is_captured = true WHERE id = named AND NOT is_captured RETURNING * INTO STRICT found;
    PERFORM FROM account WHERE id IN (1, 2, found.wallet) ORDER BY id FOR UPDATE;
    UPDATE account SET held = held - found.amount WHERE id = found.wallet;
    PERFORM move_money(found.wallet, 2, share);
    PERFORM move_money(found.wallet, 1, found.amount - share);
END
$$;
