-- What the console counts, so that it need not look at millions of rows to say how many: calls by how they ended, and money
-- by where it went, of every ten minutes (`bucket_us` is their first microsecond). Counted behind the calls, in steps, and
-- made again from the books and the calls by whoever empties all three tables. `outcome` is CallOutcome, `kind` is
-- TransactionKind, `debited` and `credited` are AccountKind; amounts are micro-credits.
CREATE TABLE call_count (
    bucket_us bigint   NOT NULL,
    outcome   smallint NOT NULL,
    calls     bigint   NOT NULL CHECK (calls >= 0),
    PRIMARY KEY (bucket_us, outcome)
);

CREATE TABLE flow_count (
    bucket_us bigint   NOT NULL,
    kind      smallint NOT NULL,
    debited   smallint NOT NULL,
    credited  smallint NOT NULL,
    postings  bigint   NOT NULL CHECK (postings >= 0),
    amount    bigint   NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (bucket_us, kind, debited, credited)
);

-- Up to where it was counted: `calls` up to a time in microseconds, `slot 0` and its like up to an entry of that slot.
CREATE TABLE count_head (
    name    text   NOT NULL PRIMARY KEY,
    reached bigint NOT NULL
);
