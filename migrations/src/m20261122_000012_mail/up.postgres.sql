-- What a mail is about, so that its page leads there; a name under which it is written once; and until when the server that
-- is sending it has it for itself. The lists of the console ask by state, by template and by receiver, the newest first.
--
-- What is due is found by the state, too: beside the other indexes the one of the queue alone would not be taken.
ALTER TABLE mail ADD COLUMN object_kind text;
ALTER TABLE mail ADD COLUMN object_id text;
ALTER TABLE mail ADD COLUMN key text;
ALTER TABLE mail ADD COLUMN claimed_us bigint;
DROP INDEX mail_due;
CREATE INDEX mail_due ON mail (state, next_us);
CREATE UNIQUE INDEX mail_key ON mail (key) WHERE key IS NOT NULL;
CREATE INDEX mail_state ON mail (state, id);
CREATE INDEX mail_state_template ON mail (state, template, id);
CREATE INDEX mail_template ON mail (template, id);
CREATE INDEX mail_recipient ON mail (recipient, id);
