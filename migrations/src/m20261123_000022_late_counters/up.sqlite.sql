-- Up to and including which entry of the journal the rows of `cap_window` are true. What the entries behind it made of the
-- counters the writer knows, and counts again from them when it starts. Until now every batch wrote its counters.
ALTER TABLE chain_head ADD COLUMN counted_seq INTEGER NOT NULL DEFAULT 0 CHECK (counted_seq >= 0 AND counted_seq <= seq);
UPDATE chain_head SET counted_seq = seq;
