-- What the console counts, so that it need not look at millions of rows to say how many: calls by how they ended, and money
-- by where it went, of every ten minutes (`bucket_us` is their first microsecond). Counted behind the calls, in steps, and
-- made again from the books and the calls by whoever empties all three tables. `outcome` is CallOutcome, `kind` is
-- TransactionKind, `debited` and `credited` are AccountKind; amounts are micro-credits.
CREATE TABLE call_count (
    bucket_us INTEGER NOT NULL,
    outcome   INTEGER NOT NULL,
    calls     INTEGER NOT NULL CHECK (calls >= 0),
    PRIMARY KEY (bucket_us, outcome)
) STRICT, WITHOUT ROWID;

CREATE TABLE flow_count (
    bucket_us INTEGER NOT NULL,
    kind      INTEGER NOT NULL,
    debited   INTEGER NOT NULL,
    credited  INTEGER NOT NULL,
    postings  INTEGER NOT NULL CHECK (postings >= 0),
    amount    INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (bucket_us, kind, debited, credited)
) STRICT, WITHOUT ROWID;

-- Up to where it was counted: `calls` up to a time in microseconds, `slot 0` and its like up to an entry of that slot.
CREATE TABLE count_head (
    name    TEXT    NOT NULL PRIMARY KEY,
    reached INTEGER NOT NULL
) STRICT;
