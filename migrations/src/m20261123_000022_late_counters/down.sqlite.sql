-- Programs from before believe the rows of `cap_window`: refused unless they are true. A writer that is stopped has written
-- them all; after a crash, start one and stop it.
CREATE TABLE all_counters_are_written (
    is_so INTEGER NOT NULL CONSTRAINT start_the_server_and_stop_it_first CHECK (is_so)
) STRICT;
INSERT INTO all_counters_are_written SELECT counted_seq = seq FROM chain_head;
DROP TABLE all_counters_are_written;
ALTER TABLE chain_head DROP COLUMN counted_seq;
