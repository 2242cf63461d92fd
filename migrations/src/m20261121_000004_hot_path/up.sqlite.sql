-- Fewer indexes and fewer rows that grow, for the call that pays.

-- The charge of a call has the identifier of its hold, and a hold is settled once: `hold_resolution` says so. Only the
-- other transactions need an index of their identifiers. A UNIQUE of a table cannot be taken away, so the rows move.
CREATE TABLE txn_moved (
    slot         INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    id           BLOB    NOT NULL,
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
CREATE UNIQUE INDEX txn_id ON txn (id) WHERE id IS NOT hold_id;
CREATE INDEX txn_reverses ON txn (reverses) WHERE reverses IS NOT NULL;
CREATE TRIGGER txn_no_update BEFORE UPDATE ON txn BEGIN SELECT RAISE(ABORT, 'txn is append-only'); END;
CREATE TRIGGER txn_no_delete BEFORE DELETE ON txn BEGIN SELECT RAISE(ABORT, 'txn is append-only'); END;

-- Calls under way that hold a key and no money; of the others `open_hold` tells. While a call runs, its `resolves_us`
-- is when its hold is settled by rule: it gives way to `ended_us`, so that the row hardly grows when the call ends.
CREATE TABLE open_call (
    id BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO open_call SELECT id FROM invocation WHERE state IN (1, 2) AND id NOT IN (SELECT hold_id FROM open_hold);
DROP INDEX invocation_open;

-- The body that a finished call was answered with, in a table of its own: pages of rows that grow are split again and
-- again. The oldest keys are the first rows of `idem`, so they are found without an index of times.
CREATE TABLE idem_answer (
    call BLOB NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO idem_answer SELECT call, body FROM idem WHERE body IS NOT NULL;
ALTER TABLE idem DROP COLUMN body;
DROP INDEX idem_created;
