CREATE INDEX idem_created ON idem (created_us);
ALTER TABLE idem ADD COLUMN body TEXT;
UPDATE idem SET body = (SELECT body FROM idem_answer a WHERE a.call = idem.call);
DROP TABLE idem_answer;

CREATE INDEX invocation_open ON invocation (state, id) WHERE state IN (1, 2);
DROP TABLE open_call;

CREATE TABLE txn_moved (
    slot         INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    id           BLOB    NOT NULL UNIQUE,
    kind         INTEGER NOT NULL,
    batch_no     INTEGER NOT NULL,
    hold_id      BLOB,
    reverses     BLOB,
    effective_us INTEGER NOT NULL,
    meta_hash    BLOB,
    PRIMARY KEY (slot, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO txn_moved SELECT slot, seq, id, kind, batch_no, hold_id, reverses, effective_us, meta_hash FROM txn;
DROP TRIGGER txn_no_update;
DROP TRIGGER txn_no_delete;
DROP TABLE txn;
ALTER TABLE txn_moved RENAME TO txn;
CREATE INDEX txn_reverses ON txn (reverses) WHERE reverses IS NOT NULL;
CREATE TRIGGER txn_no_update BEFORE UPDATE ON txn BEGIN SELECT RAISE(ABORT, 'txn is append-only'); END;
CREATE TRIGGER txn_no_delete BEFORE DELETE ON txn BEGIN SELECT RAISE(ABORT, 'txn is append-only'); END;
