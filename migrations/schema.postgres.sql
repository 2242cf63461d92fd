-- What all migrations together make on PostgreSQL; generated, and compared by a test.

CREATE OR REPLACE FUNCTION public.catalog_turn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM 1 FROM version WHERE name = 'catalog' FOR UPDATE;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.forbid_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$function$;

CREATE OR REPLACE FUNCTION public.index_tools(tools uuid[])
 RETURNS void
 LANGUAGE sql
AS $function$
    INSERT INTO tool_document (tool_id, namespace_id, category, is_listed, name, words)
    SELECT t.id, n.id, coalesce(t.category, n.category),
           t.visibility = 'public' AND n.status = 'active'
               AND NOT (t.is_suspended OR n.is_suspended OR p.is_suspended), tool_words(t.name, 'A'),
           tool_words(t.name, 'A')
               || tool_words(concat_ws(' ', n.name, n.listing_name, n.category, n.tags, t.category, t.tags), 'B')
               || tool_words(t.short_description, 'C')
               || tool_words(left(t.long_description, 2000), 'D')
    FROM tool t JOIN namespace n ON n.id = t.namespace_id JOIN publisher p ON p.id = n.publisher_id
    WHERE t.id = ANY (tools)
    ON CONFLICT (tool_id) DO UPDATE SET namespace_id = excluded.namespace_id, category = excluded.category,
        is_listed = excluded.is_listed, name = excluded.name, words = excluded.words
$function$;

CREATE OR REPLACE FUNCTION public.listing_changed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    UPDATE tool_document d
    SET is_listed = t.visibility = 'public' AND n.status = 'active'
        AND NOT (t.is_suspended OR n.is_suspended OR p.is_suspended)
    FROM tool t JOIN namespace n ON n.id = t.namespace_id JOIN publisher p ON p.id = n.publisher_id
    WHERE d.tool_id = t.id AND d.namespace_id = n.id AND NEW.id IN (n.id, p.id)
      AND d.is_listed IS DISTINCT FROM (t.visibility = 'public' AND n.status = 'active'
                                        AND NOT (t.is_suspended OR n.is_suspended OR p.is_suspended));
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.namespace_changed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM index_tools(ARRAY(SELECT id FROM tool WHERE namespace_id = NEW.id));
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.note_cancellation()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM note_catalog_change(ARRAY(SELECT t.namespace_id FROM price_version p JOIN tool t ON t.id = p.tool_id
                                      WHERE p.id = NEW.price_version_id));
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.note_catalog_change(namespaces uuid[])
 RETURNS void
 LANGUAGE sql
AS $function$
    INSERT INTO catalog_change (namespace_id, version)
    SELECT DISTINCT coalesce(id, '00000000-0000-0000-0000-000000000000'), value + 1
    FROM unnest(namespaces) AS id, version WHERE name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version
    WHERE catalog_change.version <> excluded.version
$function$;

CREATE OR REPLACE FUNCTION public.note_connection()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM note_catalog_change(ARRAY(SELECT id FROM namespace
                                      WHERE publisher_id = NEW.publisher_id AND connection_id = NEW.id));
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.note_namespace()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM note_catalog_change(ARRAY[NEW.id]);
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.note_price()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM note_catalog_change(ARRAY(SELECT namespace_id FROM tool WHERE id = NEW.tool_id));
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.note_publisher()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM note_catalog_change(ARRAY(SELECT id FROM namespace WHERE publisher_id = NEW.id));
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.note_tool()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM note_catalog_change(ARRAY[NEW.namespace_id]);
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.tool_changed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM index_tools(ARRAY[NEW.id]);
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.tool_words(written text, letter "char")
 RETURNS tsvector
 LANGUAGE sql
 IMMUTABLE
AS $function$
    SELECT setweight(to_tsvector('pg_catalog.english', translate(written, $signs$!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~$signs$,
                                                                 repeat(' ', 32))), letter)
$function$;

CREATE TABLE account (
    id uuid NOT NULL,
    email text NOT NULL,
    is_verified boolean NOT NULL,
    is_suspended boolean NOT NULL,
    password_hash text,
    wallet bigint NOT NULL,
    sessions_from_us bigint NOT NULL,
    created_us bigint NOT NULL,
    CONSTRAINT account_pkey PRIMARY KEY (id),
    CONSTRAINT account_email_key UNIQUE (email),
    CONSTRAINT account_wallet_key UNIQUE (wallet),
    CONSTRAINT account_wallet_fkey FOREIGN KEY (wallet) REFERENCES ledger_account(id)
);

CREATE TABLE acknowledged_call (
    call uuid NOT NULL,
    publisher_id uuid NOT NULL,
    created_us bigint NOT NULL,
    CONSTRAINT acknowledged_call_pkey PRIMARY KEY (call),
    CONSTRAINT acknowledged_call_publisher_id_fkey FOREIGN KEY (publisher_id) REFERENCES publisher(id)
);

CREATE TABLE approval (
    id uuid NOT NULL,
    kind text NOT NULL,
    payload text NOT NULL,
    amount bigint,
    object_kind text NOT NULL,
    object_id text NOT NULL,
    reason text NOT NULL,
    key text,
    author uuid NOT NULL,
    created_us bigint NOT NULL,
    expires_us bigint NOT NULL,
    state text NOT NULL,
    decided_by uuid,
    decided_us bigint,
    note text,
    outcome text,
    CONSTRAINT approval_pkey PRIMARY KEY (id),
    CONSTRAINT approval_key_key UNIQUE (key),
    CONSTRAINT approval_decided_by CHECK ((decided_by IS NULL) = (state = ANY (ARRAY['waiting'::text, 'expired'::text]))),
    CONSTRAINT approval_decided_us CHECK ((decided_us IS NULL) = (state = 'waiting'::text)),
    CONSTRAINT approval_four_eyes CHECK (decided_by IS NULL OR (decided_by = author) = (state = 'withdrawn'::text)),
    CONSTRAINT approval_outcome CHECK (outcome IS NULL OR (state = ANY (ARRAY['approved'::text, 'failed'::text]))),
    CONSTRAINT approval_state_check CHECK (state = ANY (ARRAY['waiting'::text, 'approved'::text, 'rejected'::text, 'withdrawn'::text, 'expired'::text, 'failed'::text])),
    CONSTRAINT approval_time CHECK (expires_us > created_us),
    CONSTRAINT approval_author_fkey FOREIGN KEY (author) REFERENCES operator(id),
    CONSTRAINT approval_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES operator(id)
);
CREATE INDEX approval_unfinished ON approval USING btree (id) WHERE state = 'approved'::text AND outcome IS NULL;
CREATE INDEX approval_waiting ON approval USING btree (expires_us) WHERE state = 'waiting'::text;
CREATE TRIGGER approval_begins_waiting BEFORE INSERT ON approval FOR EACH ROW WHEN (new.state <> 'waiting'::text) EXECUTE FUNCTION forbid_change();
CREATE TRIGGER approval_no_delete BEFORE DELETE ON approval FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER approval_no_truncate BEFORE TRUNCATE ON approval FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();
CREATE TRIGGER approval_no_update BEFORE UPDATE ON approval FOR EACH ROW WHEN (new.id <> old.id OR new.kind <> old.kind OR new.payload <> old.payload OR new.amount IS DISTINCT FROM old.amount OR new.object_kind <> old.object_kind OR new.object_id <> old.object_id OR new.reason <> old.reason OR new.key IS DISTINCT FROM old.key OR new.author <> old.author OR new.created_us <> old.created_us OR new.expires_us <> old.expires_us OR NOT (old.state = 'waiting'::text AND (new.state = ANY (ARRAY['approved'::text, 'rejected'::text, 'withdrawn'::text, 'expired'::text])) AND new.outcome IS NULL OR old.state = 'approved'::text AND old.outcome IS NULL AND (new.state = ANY (ARRAY['approved'::text, 'failed'::text])) AND new.outcome IS NOT NULL AND new.decided_by = old.decided_by AND new.decided_us = old.decided_us AND NOT new.note IS DISTINCT FROM old.note)) EXECUTE FUNCTION forbid_change();

CREATE TABLE asset (
    id text NOT NULL,
    media_type text NOT NULL,
    bytes bytea NOT NULL,
    created_us bigint NOT NULL,
    CONSTRAINT asset_pkey PRIMARY KEY (id)
);

CREATE TABLE audit (
    slot bigint NOT NULL,
    seq bigint NOT NULL,
    recorded_us bigint NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    method text NOT NULL,
    credential text,
    action text NOT NULL,
    object_kind text NOT NULL,
    object_id text NOT NULL,
    before_json text,
    after_json text,
    reason text,
    request_id text,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_pkey PRIMARY KEY (slot, seq),
    CONSTRAINT audit_hash_check CHECK (length(hash) = 32),
    CONSTRAINT audit_prev_hash_check CHECK (length(prev_hash) = 32),
    CONSTRAINT audit_seq_check CHECK (seq > 0)
);
CREATE INDEX audit_actor ON audit USING btree (actor_id, recorded_us);
CREATE INDEX audit_object ON audit USING btree (object_id, recorded_us);
CREATE INDEX audit_time ON audit USING btree (recorded_us, slot, seq);
CREATE TRIGGER audit_no_change BEFORE DELETE OR UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE audit_head (
    slot bigint NOT NULL,
    seq bigint NOT NULL,
    last_us bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_head_pkey PRIMARY KEY (slot),
    CONSTRAINT audit_head_hash_check CHECK (length(hash) = 32)
);
CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE auditor_token (
    id uuid NOT NULL,
    name text NOT NULL,
    hint text NOT NULL,
    digest bytea NOT NULL,
    created_us bigint NOT NULL,
    expires_us bigint NOT NULL,
    revoked_us bigint,
    CONSTRAINT auditor_token_pkey PRIMARY KEY (id),
    CONSTRAINT auditor_token_digest_key UNIQUE (digest),
    CONSTRAINT auditor_token_check CHECK (expires_us > created_us),
    CONSTRAINT auditor_token_digest_check CHECK (length(digest) = 32)
);

CREATE TABLE batch (
    slot bigint NOT NULL,
    batch_no bigint NOT NULL,
    epoch bigint NOT NULL,
    first_seq bigint NOT NULL,
    n_entry bigint NOT NULL,
    n_posting bigint NOT NULL,
    total bigint NOT NULL,
    recorded_us bigint NOT NULL,
    client_batch_id uuid NOT NULL,
    merkle_root bytea NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT batch_pkey PRIMARY KEY (slot, batch_no),
    CONSTRAINT batch_client_batch_id_key UNIQUE (client_batch_id)
);
CREATE TRIGGER batch_no_change BEFORE DELETE OR UPDATE ON batch FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER batch_no_truncate BEFORE TRUNCATE ON batch FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE call_count (
    bucket_us bigint NOT NULL,
    outcome smallint NOT NULL,
    calls bigint NOT NULL,
    CONSTRAINT call_count_pkey PRIMARY KEY (bucket_us, outcome),
    CONSTRAINT call_count_calls_check CHECK (calls >= 0)
);

CREATE TABLE cap (
    id uuid NOT NULL,
    owner_id uuid NOT NULL,
    owner_kind smallint NOT NULL,
    "window" smallint NOT NULL,
    limit_credits bigint NOT NULL,
    created_us bigint NOT NULL,
    is_imposed boolean NOT NULL DEFAULT true,
    CONSTRAINT cap_pkey PRIMARY KEY (id),
    CONSTRAINT cap_owner_id_owner_kind_window_key UNIQUE (owner_id, owner_kind, "window"),
    CONSTRAINT cap_limit_credits_check CHECK (limit_credits >= 0)
);

CREATE TABLE cap_alert (
    id uuid NOT NULL,
    partner_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    owner_kind smallint NOT NULL,
    "window" smallint NOT NULL,
    percent smallint NOT NULL,
    email text,
    created_us bigint NOT NULL,
    CONSTRAINT cap_alert_pkey PRIMARY KEY (id),
    CONSTRAINT cap_alert_percent_check CHECK (percent >= 1 AND percent <= 100),
    CONSTRAINT cap_alert_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partner(id)
);
CREATE INDEX cap_alert_owner ON cap_alert USING btree (owner_id);
CREATE INDEX cap_alert_partner ON cap_alert USING btree (partner_id, id);

CREATE TABLE cap_window (
    cap_id uuid NOT NULL,
    start_us bigint NOT NULL,
    spent bigint NOT NULL,
    held bigint NOT NULL,
    CONSTRAINT cap_window_pkey PRIMARY KEY (cap_id, start_us),
    CONSTRAINT cap_window_held_check CHECK (held >= 0),
    CONSTRAINT cap_window_spent_check CHECK (spent >= 0)
) WITH (fillfactor=60, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_cost_delay=0);

CREATE TABLE catalog_change (
    namespace_id uuid NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT catalog_change_pkey PRIMARY KEY (namespace_id)
);
CREATE INDEX catalog_change_version ON catalog_change USING btree (version);

CREATE TABLE chain_head (
    slot bigint NOT NULL,
    epoch bigint NOT NULL,
    batch_no bigint NOT NULL,
    seq bigint NOT NULL,
    last_us bigint NOT NULL,
    hash bytea NOT NULL,
    owner uuid,
    last_write uuid,
    lease_until_us bigint NOT NULL DEFAULT 0,
    CONSTRAINT chain_head_pkey PRIMARY KEY (slot)
) WITH (fillfactor=10, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=1000, autovacuum_vacuum_cost_delay=0, vacuum_truncate=off);

CREATE TABLE chargeback (
    id uuid NOT NULL,
    purchase_id uuid NOT NULL,
    credits bigint NOT NULL,
    state text NOT NULL,
    opened_us bigint NOT NULL,
    closing uuid,
    closed_us bigint,
    CONSTRAINT chargeback_pkey PRIMARY KEY (id),
    CONSTRAINT chargeback_check CHECK ((closing IS NULL) = (state = 'open'::text)),
    CONSTRAINT chargeback_check1 CHECK ((closed_us IS NULL) = (state = 'open'::text)),
    CONSTRAINT chargeback_credits_check CHECK (credits > 0),
    CONSTRAINT chargeback_state_check CHECK (state = ANY (ARRAY['open'::text, 'won'::text, 'lost'::text])),
    CONSTRAINT chargeback_purchase_id_fkey FOREIGN KEY (purchase_id) REFERENCES purchase(id)
);
CREATE UNIQUE INDEX chargeback_purchase ON chargeback USING btree (purchase_id) WHERE state <> 'won'::text;
CREATE TRIGGER chargeback_no_delete BEFORE DELETE ON chargeback FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER chargeback_no_truncate BEFORE TRUNCATE ON chargeback FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();
CREATE TRIGGER chargeback_no_update BEFORE UPDATE ON chargeback FOR EACH ROW WHEN (new.id <> old.id OR new.purchase_id <> old.purchase_id OR new.credits <> old.credits OR new.opened_us <> old.opened_us OR old.state <> 'open'::text OR new.state = 'open'::text) EXECUTE FUNCTION forbid_change();

CREATE TABLE checkpoint (
    number bigint NOT NULL,
    body bytea NOT NULL,
    signature bytea NOT NULL,
    CONSTRAINT checkpoint_pkey PRIMARY KEY (number),
    CONSTRAINT checkpoint_number_check CHECK (number > 0),
    CONSTRAINT checkpoint_signature_check CHECK (length(signature) = 64)
);
CREATE TRIGGER checkpoint_no_change BEFORE DELETE OR UPDATE ON checkpoint FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER checkpoint_no_truncate BEFORE TRUNCATE ON checkpoint FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE connection (
    id uuid NOT NULL,
    publisher_id uuid NOT NULL,
    label text NOT NULL,
    kind text NOT NULL,
    url text NOT NULL,
    credential bytea,
    key_identifier text,
    param_location text,
    param_description text,
    created_us bigint NOT NULL,
    changed_us bigint NOT NULL,
    CONSTRAINT connection_pkey PRIMARY KEY (id),
    CONSTRAINT connection_kind_check CHECK (kind = ANY (ARRAY['mcp'::text, 'rest'::text])),
    CONSTRAINT connection_param_location_check CHECK (param_location = ANY (ARRAY['header'::text, 'query'::text])),
    CONSTRAINT connection_publisher_id_fkey FOREIGN KEY (publisher_id) REFERENCES publisher(id)
);
CREATE INDEX connection_publisher ON connection USING btree (publisher_id, id);
CREATE TRIGGER catalog_change AFTER UPDATE ON connection FOR EACH ROW EXECUTE FUNCTION note_connection();
CREATE TRIGGER catalog_turn BEFORE UPDATE ON connection FOR EACH STATEMENT EXECUTE FUNCTION catalog_turn();

CREATE TABLE count_head (
    name text NOT NULL,
    reached bigint NOT NULL,
    CONSTRAINT count_head_pkey PRIMARY KEY (name)
);

CREATE TABLE credit_grant (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    credits bigint NOT NULL,
    reason text NOT NULL,
    key text,
    created_us bigint NOT NULL,
    expires_us bigint,
    priority bigint,
    CONSTRAINT credit_grant_pkey PRIMARY KEY (id),
    CONSTRAINT credit_grant_key_key UNIQUE (key),
    CONSTRAINT credit_grant_credits_check CHECK (credits > 0),
    CONSTRAINT credit_grant_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id)
);
CREATE INDEX credit_grant_account ON credit_grant USING btree (account_id);
CREATE TRIGGER credit_grant_no_change BEFORE DELETE OR UPDATE ON credit_grant FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER credit_grant_no_truncate BEFORE TRUNCATE ON credit_grant FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE end_user (
    id uuid NOT NULL,
    partner_id uuid NOT NULL,
    external_id text NOT NULL,
    is_blocked boolean NOT NULL,
    created_us bigint NOT NULL,
    metadata text,
    erased_us bigint,
    CONSTRAINT end_user_pkey PRIMARY KEY (id),
    CONSTRAINT end_user_partner_id_external_id_key UNIQUE (partner_id, external_id),
    CONSTRAINT end_user_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partner(id)
);

CREATE TABLE end_user_transfer (
    id uuid NOT NULL,
    end_user_id uuid NOT NULL,
    credits bigint NOT NULL,
    created_us bigint NOT NULL,
    CONSTRAINT end_user_transfer_pkey PRIMARY KEY (id),
    CONSTRAINT end_user_transfer_credits_check CHECK (credits <> 0),
    CONSTRAINT end_user_transfer_end_user_id_fkey FOREIGN KEY (end_user_id) REFERENCES end_user(id)
);

CREATE TABLE end_user_wallet (
    end_user_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    wallet bigint NOT NULL,
    created_us bigint NOT NULL,
    ended_us bigint,
    CONSTRAINT end_user_wallet_pkey PRIMARY KEY (end_user_id),
    CONSTRAINT end_user_wallet_wallet_key UNIQUE (wallet),
    CONSTRAINT end_user_wallet_end_user_id_fkey FOREIGN KEY (end_user_id) REFERENCES end_user(id),
    CONSTRAINT end_user_wallet_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partner(id),
    CONSTRAINT end_user_wallet_wallet_fkey FOREIGN KEY (wallet) REFERENCES ledger_account(id)
);
CREATE INDEX end_user_wallet_ended ON end_user_wallet USING btree (end_user_id) WHERE ended_us IS NOT NULL;
CREATE INDEX end_user_wallet_partner ON end_user_wallet USING btree (partner_id);

CREATE TABLE erased_name (
    digest bytea NOT NULL,
    end_user_id uuid NOT NULL,
    created_us bigint NOT NULL,
    CONSTRAINT erased_name_pkey PRIMARY KEY (digest),
    CONSTRAINT erased_name_end_user_id_key UNIQUE (end_user_id),
    CONSTRAINT erased_name_end_user_id_fkey FOREIGN KEY (end_user_id) REFERENCES end_user(id)
);

CREATE TABLE flow_count (
    bucket_us bigint NOT NULL,
    kind smallint NOT NULL,
    debited smallint NOT NULL,
    credited smallint NOT NULL,
    postings bigint NOT NULL,
    amount bigint NOT NULL,
    CONSTRAINT flow_count_pkey PRIMARY KEY (bucket_us, kind, debited, credited),
    CONSTRAINT flow_count_amount_check CHECK (amount >= 0),
    CONSTRAINT flow_count_postings_check CHECK (postings >= 0)
);

CREATE TABLE former_name (
    name text NOT NULL,
    namespace_id uuid NOT NULL,
    publisher_id uuid NOT NULL,
    given_up_us bigint NOT NULL,
    free_us bigint NOT NULL,
    was_public boolean NOT NULL,
    CONSTRAINT former_name_pkey PRIMARY KEY (name),
    CONSTRAINT former_name_namespace_id_fkey FOREIGN KEY (namespace_id) REFERENCES namespace(id),
    CONSTRAINT former_name_publisher_id_fkey FOREIGN KEY (publisher_id) REFERENCES publisher(id)
);
CREATE INDEX former_name_publisher ON former_name USING btree (publisher_id, free_us);

CREATE TABLE former_tool_name (
    namespace_id uuid NOT NULL,
    name text NOT NULL,
    tool_id uuid NOT NULL,
    given_up_us bigint NOT NULL,
    free_us bigint NOT NULL,
    CONSTRAINT former_tool_name_pkey PRIMARY KEY (namespace_id, name),
    CONSTRAINT former_tool_name_namespace_id_fkey FOREIGN KEY (namespace_id) REFERENCES namespace(id),
    CONSTRAINT former_tool_name_tool_id_fkey FOREIGN KEY (tool_id) REFERENCES tool(id)
);

CREATE TABLE hold (
    slot bigint NOT NULL,
    seq bigint NOT NULL,
    id uuid NOT NULL,
    batch_no bigint NOT NULL,
    wallet bigint NOT NULL,
    payee bigint NOT NULL,
    amount bigint NOT NULL,
    ttl_us bigint NOT NULL,
    publisher_bps integer NOT NULL,
    partner_bps integer NOT NULL,
    partner bigint,
    expiry_capture bigint,
    counters bytea NOT NULL,
    meta_hash bytea,
    CONSTRAINT hold_pkey PRIMARY KEY (slot, seq),
    CONSTRAINT hold_id_key UNIQUE (id),
    CONSTRAINT hold_amount_check CHECK (amount >= 0),
    CONSTRAINT hold_check CHECK (payee <> wallet),
    CONSTRAINT hold_ttl_us_check CHECK (ttl_us >= 0)
);
CREATE TRIGGER hold_no_change BEFORE DELETE OR UPDATE ON hold FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER hold_no_truncate BEFORE TRUNCATE ON hold FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE hold_resolution (
    slot bigint NOT NULL,
    seq bigint NOT NULL,
    hold_id uuid NOT NULL,
    id uuid NOT NULL,
    batch_no bigint NOT NULL,
    outcome smallint NOT NULL,
    captured bigint NOT NULL,
    meta_hash bytea,
    CONSTRAINT hold_resolution_pkey PRIMARY KEY (slot, seq),
    CONSTRAINT hold_resolution_hold_id_key UNIQUE (hold_id),
    CONSTRAINT hold_resolution_captured_check CHECK (captured >= 0)
);
CREATE UNIQUE INDEX hold_resolution_id ON hold_resolution USING btree (id) WHERE id <> hold_id;
CREATE TRIGGER hold_resolution_no_change BEFORE DELETE OR UPDATE ON hold_resolution FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER hold_resolution_no_truncate BEFORE TRUNCATE ON hold_resolution FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE hold_source (
    slot bigint NOT NULL,
    seq bigint NOT NULL,
    ord integer NOT NULL,
    grant_id uuid NOT NULL,
    account bigint NOT NULL,
    amount bigint NOT NULL,
    CONSTRAINT hold_source_pkey PRIMARY KEY (slot, seq, ord),
    CONSTRAINT hold_source_amount_check CHECK (amount > 0)
);
CREATE TRIGGER hold_source_no_change BEFORE DELETE OR UPDATE ON hold_source FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER hold_source_no_truncate BEFORE TRUNCATE ON hold_source FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE hot_balance (
    account_id bigint NOT NULL,
    slot bigint NOT NULL,
    credits bigint NOT NULL,
    debits bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT hot_balance_pkey PRIMARY KEY (account_id, slot),
    CONSTRAINT hot_balance_credits_check CHECK (credits >= 0),
    CONSTRAINT hot_balance_debits_check CHECK (debits >= 0)
) WITH (fillfactor=50, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_cost_delay=0);

CREATE TABLE idem (
    scope uuid NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    call uuid NOT NULL,
    created_us bigint NOT NULL,
    state smallint NOT NULL,
    status smallint,
    CONSTRAINT idem_pkey PRIMARY KEY (scope, key)
) WITH (fillfactor=80, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_cost_delay=0, vacuum_truncate=off);
CREATE INDEX idem_created ON idem USING btree (created_us);

CREATE TABLE idem_answer (
    call uuid NOT NULL,
    body text NOT NULL,
    CONSTRAINT idem_answer_pkey PRIMARY KEY (call)
) WITH (autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_cost_delay=0, vacuum_truncate=off);

CREATE TABLE import (
    item text NOT NULL,
    hash bytea NOT NULL,
    imported_us bigint NOT NULL,
    CONSTRAINT import_pkey PRIMARY KEY (item)
);

CREATE TABLE invocation (
    id uuid NOT NULL,
    surface smallint NOT NULL,
    account_id uuid,
    token_id uuid,
    partner_id uuid,
    end_user_id uuid,
    tool_id uuid,
    price_id uuid,
    wallet bigint,
    held bigint NOT NULL,
    snapshot_version bigint NOT NULL,
    policy_version text NOT NULL,
    denied_by text,
    key_scope uuid,
    key text,
    epoch bigint NOT NULL,
    created_us bigint NOT NULL,
    state smallint NOT NULL,
    charged bigint NOT NULL,
    shortfall bigint NOT NULL,
    error text,
    warning text,
    ended_us bigint,
    resolves_us bigint,
    slot bigint NOT NULL DEFAULT 0,
    requested text,
    session_key text,
    channel text,
    channel_account text,
    is_owner boolean,
    explanation text,
    priced_units text,
    returned_value text,
    CONSTRAINT invocation_pkey PRIMARY KEY (id)
) WITH (fillfactor=50);
CREATE INDEX invocation_warned ON invocation USING btree (tool_id, id) WHERE warning IS NOT NULL;

CREATE TABLE kept_key (
    name text NOT NULL,
    sealed bytea NOT NULL,
    created_us bigint NOT NULL,
    CONSTRAINT kept_key_pkey PRIMARY KEY (name)
);

CREATE TABLE ledger_account (
    id bigint NOT NULL,
    code text NOT NULL,
    kind smallint NOT NULL,
    created_us bigint NOT NULL,
    closed_us bigint,
    CONSTRAINT ledger_account_pkey PRIMARY KEY (id),
    CONSTRAINT ledger_account_code_key UNIQUE (code)
);

CREATE TABLE login_link (
    digest bytea NOT NULL,
    account_id uuid NOT NULL,
    expires_us bigint NOT NULL,
    used_us bigint,
    CONSTRAINT login_link_pkey PRIMARY KEY (digest),
    CONSTRAINT login_link_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id)
);

CREATE TABLE mail (
    id uuid NOT NULL,
    recipient text NOT NULL,
    template text NOT NULL,
    data text NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    next_us bigint NOT NULL,
    last_error text,
    created_us bigint NOT NULL,
    sent_us bigint,
    object_kind text,
    object_id text,
    key text,
    claimed_us bigint,
    CONSTRAINT mail_pkey PRIMARY KEY (id)
);
CREATE INDEX mail_due ON mail USING btree (state, next_us);
CREATE UNIQUE INDEX mail_key ON mail USING btree (key) WHERE key IS NOT NULL;
CREATE INDEX mail_recipient ON mail USING btree (recipient, id);
CREATE INDEX mail_state ON mail USING btree (state, id);
CREATE INDEX mail_state_template ON mail USING btree (state, template, id);
CREATE INDEX mail_template ON mail USING btree (template, id);

CREATE TABLE movement (
    id uuid NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    credits bigint,
    reason text NOT NULL,
    key text,
    created_us bigint NOT NULL,
    CONSTRAINT movement_pkey PRIMARY KEY (id),
    CONSTRAINT movement_key_key UNIQUE (key)
);
CREATE INDEX movement_subject ON movement USING btree (subject);
CREATE TRIGGER movement_no_change BEFORE DELETE OR UPDATE ON movement FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER movement_no_truncate BEFORE TRUNCATE ON movement FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE namespace (
    id uuid NOT NULL,
    name text NOT NULL,
    publisher_id uuid NOT NULL,
    description text NOT NULL,
    is_suspended boolean NOT NULL,
    created_us bigint NOT NULL,
    listing_name text,
    category text,
    tags text NOT NULL DEFAULT '[]'::text,
    connection_id uuid,
    status text NOT NULL DEFAULT 'active'::text,
    is_own_suspension boolean NOT NULL DEFAULT false,
    icon text,
    readme_source_url text,
    readme_content text,
    draft_listing text,
    credential bytea,
    key_identifier text,
    param_location text,
    param_description text,
    CONSTRAINT namespace_pkey PRIMARY KEY (id),
    CONSTRAINT namespace_name_key UNIQUE (name),
    CONSTRAINT namespace_param_location_check CHECK (param_location = ANY (ARRAY['header'::text, 'query'::text])),
    CONSTRAINT namespace_status_check CHECK (status = ANY (ARRAY['draft'::text, 'review'::text, 'active'::text])),
    CONSTRAINT namespace_publisher_id_fkey FOREIGN KEY (publisher_id) REFERENCES publisher(id)
);
CREATE INDEX namespace_publisher ON namespace USING btree (publisher_id);
CREATE TRIGGER catalog_change AFTER INSERT OR UPDATE ON namespace FOR EACH ROW EXECUTE FUNCTION note_namespace();
CREATE TRIGGER catalog_turn BEFORE INSERT OR UPDATE ON namespace FOR EACH STATEMENT EXECUTE FUNCTION catalog_turn();
CREATE TRIGGER tool_document_listed AFTER UPDATE ON namespace FOR EACH ROW WHEN (old.is_suspended <> new.is_suspended OR old.status <> new.status) EXECUTE FUNCTION listing_changed();
CREATE TRIGGER tool_document_namespace AFTER UPDATE ON namespace FOR EACH ROW WHEN (old.name IS DISTINCT FROM new.name OR old.listing_name IS DISTINCT FROM new.listing_name OR old.category IS DISTINCT FROM new.category OR old.tags IS DISTINCT FROM new.tags) EXECUTE FUNCTION namespace_changed();

CREATE TABLE open_call (
    id uuid NOT NULL,
    slot bigint NOT NULL,
    epoch bigint NOT NULL,
    CONSTRAINT open_call_pkey PRIMARY KEY (id)
) WITH (fillfactor=50, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=5000, autovacuum_vacuum_cost_delay=0, vacuum_truncate=off);

CREATE TABLE open_grant (
    account bigint NOT NULL,
    id uuid NOT NULL,
    wallet bigint NOT NULL,
    priority bigint NOT NULL,
    expires_us bigint NOT NULL,
    slot bigint NOT NULL,
    CONSTRAINT open_grant_pkey PRIMARY KEY (account)
);
CREATE INDEX open_grant_expires ON open_grant USING btree (expires_us, id);
CREATE INDEX open_grant_wallet ON open_grant USING btree (wallet);

CREATE TABLE open_hold (
    hold_id uuid NOT NULL,
    wallet bigint NOT NULL,
    amount bigint NOT NULL,
    expires_us bigint,
    slot bigint NOT NULL,
    epoch bigint NOT NULL,
    CONSTRAINT open_hold_pkey PRIMARY KEY (hold_id)
) WITH (fillfactor=50, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=5000, autovacuum_vacuum_cost_delay=0, vacuum_truncate=off);

CREATE TABLE operator (
    id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    roles text NOT NULL,
    password_hash text,
    factor bytea,
    factor_step bigint NOT NULL DEFAULT '-1'::integer,
    is_disabled boolean NOT NULL,
    is_demo boolean NOT NULL,
    created_us bigint NOT NULL,
    signed_in_us bigint,
    CONSTRAINT operator_pkey PRIMARY KEY (id),
    CONSTRAINT operator_email_key UNIQUE (email)
);

CREATE TABLE operator_link (
    digest bytea NOT NULL,
    operator_id uuid NOT NULL,
    expires_us bigint NOT NULL,
    used_us bigint,
    CONSTRAINT operator_link_pkey PRIMARY KEY (digest),
    CONSTRAINT operator_link_digest_check CHECK (length(digest) = 32),
    CONSTRAINT operator_link_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);

CREATE TABLE operator_session (
    digest bytea NOT NULL,
    operator_id uuid NOT NULL,
    created_us bigint NOT NULL,
    seen_us bigint NOT NULL,
    fresh_us bigint NOT NULL,
    address text NOT NULL,
    user_agent text NOT NULL,
    flash text,
    echo bytea,
    CONSTRAINT operator_session_pkey PRIMARY KEY (digest),
    CONSTRAINT operator_session_digest_check CHECK (length(digest) = 32),
    CONSTRAINT operator_session_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operator(id)
);
CREATE INDEX operator_session_operator ON operator_session USING btree (operator_id);
CREATE INDEX operator_session_seen ON operator_session USING btree (seen_us);

CREATE TABLE partner (
    id uuid NOT NULL,
    name text NOT NULL,
    is_suspended boolean NOT NULL,
    margin_bps integer NOT NULL,
    wallet bigint NOT NULL,
    margin bigint NOT NULL,
    created_us bigint NOT NULL,
    CONSTRAINT partner_pkey PRIMARY KEY (id),
    CONSTRAINT partner_margin_key UNIQUE (margin),
    CONSTRAINT partner_name_key UNIQUE (name),
    CONSTRAINT partner_wallet_key UNIQUE (wallet),
    CONSTRAINT partner_margin_bps_check CHECK (margin_bps >= 0 AND margin_bps <= 10000),
    CONSTRAINT partner_margin_fkey FOREIGN KEY (margin) REFERENCES ledger_account(id),
    CONSTRAINT partner_wallet_fkey FOREIGN KEY (wallet) REFERENCES ledger_account(id)
);

CREATE TABLE partner_event (
    id uuid NOT NULL,
    partner_id uuid NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    data text NOT NULL,
    created_us bigint NOT NULL,
    CONSTRAINT partner_event_pkey PRIMARY KEY (id),
    CONSTRAINT partner_event_key_key UNIQUE (key),
    CONSTRAINT partner_event_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partner(id)
);
CREATE INDEX partner_event_partner ON partner_event USING btree (partner_id, id);

CREATE TABLE partner_funding (
    partner_id uuid NOT NULL,
    created_us bigint NOT NULL,
    CONSTRAINT partner_funding_pkey PRIMARY KEY (partner_id),
    CONSTRAINT partner_funding_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partner(id)
);

CREATE TABLE partner_usage (
    partner_id uuid NOT NULL,
    kind smallint NOT NULL,
    start_us bigint NOT NULL,
    subject_id uuid NOT NULL,
    calls bigint NOT NULL,
    paid_calls bigint NOT NULL,
    charged bigint NOT NULL,
    CONSTRAINT partner_usage_pkey PRIMARY KEY (partner_id, kind, start_us, subject_id)
);

CREATE TABLE payload (
    call uuid NOT NULL,
    arguments bytea NOT NULL,
    arguments_bytes bigint NOT NULL,
    answer bytea,
    answer_bytes bigint,
    until_us bigint NOT NULL,
    end_user_id uuid,
    CONSTRAINT payload_pkey PRIMARY KEY (call),
    CONSTRAINT payload_answer_bytes_check CHECK (answer_bytes >= 0),
    CONSTRAINT payload_arguments_bytes_check CHECK (arguments_bytes >= 0),
    CONSTRAINT payload_check CHECK ((answer IS NULL) = (answer_bytes IS NULL))
);
CREATE INDEX payload_end_user ON payload USING btree (end_user_id) WHERE end_user_id IS NOT NULL;
CREATE INDEX payload_until ON payload USING btree (until_us);

CREATE TABLE payout (
    txn_id uuid NOT NULL,
    account bigint NOT NULL,
    credits bigint NOT NULL,
    debits bigint NOT NULL,
    netted bigint NOT NULL,
    paid bigint NOT NULL,
    note bytea,
    CONSTRAINT payout_pkey PRIMARY KEY (txn_id),
    CONSTRAINT payout_netted_check CHECK (netted >= 0),
    CONSTRAINT payout_paid_check CHECK (paid >= 0),
    CONSTRAINT payout_account_fkey FOREIGN KEY (account) REFERENCES ledger_account(id)
);
CREATE INDEX payout_account ON payout USING btree (account);
CREATE TRIGGER payout_no_change BEFORE DELETE OR UPDATE ON payout FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER payout_no_truncate BEFORE TRUNCATE ON payout FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE period_close (
    slot bigint NOT NULL,
    seq bigint NOT NULL,
    id uuid NOT NULL,
    batch_no bigint NOT NULL,
    period bigint NOT NULL,
    start_us bigint NOT NULL,
    end_us bigint NOT NULL,
    cut bytea NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT period_close_pkey PRIMARY KEY (slot, seq),
    CONSTRAINT period_close_id_key UNIQUE (id),
    CONSTRAINT period_close_period_key UNIQUE (period),
    CONSTRAINT period_close_check CHECK (end_us > start_us),
    CONSTRAINT period_close_digest_check CHECK (length(digest) = 32),
    CONSTRAINT period_close_period_check CHECK (period > 0)
);
CREATE TRIGGER period_close_no_change BEFORE DELETE OR UPDATE ON period_close FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER period_close_no_truncate BEFORE TRUNCATE ON period_close FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE policy_version (
    number bigint NOT NULL,
    text text NOT NULL,
    sha256 bytea NOT NULL,
    author text NOT NULL,
    note text NOT NULL,
    state text NOT NULL,
    replaces bigint,
    created_us bigint NOT NULL,
    published_us bigint,
    retired_us bigint,
    CONSTRAINT policy_version_pkey PRIMARY KEY (number),
    CONSTRAINT policy_version_check CHECK ((published_us IS NULL) = (state = 'draft'::text)),
    CONSTRAINT policy_version_check1 CHECK ((retired_us IS NULL) = (state <> 'retired'::text)),
    CONSTRAINT policy_version_number_check CHECK (number > 0),
    CONSTRAINT policy_version_sha256_check CHECK (length(sha256) = 32),
    CONSTRAINT policy_version_state_check CHECK (state = ANY (ARRAY['draft'::text, 'published'::text, 'retired'::text])),
    CONSTRAINT policy_version_replaces_fkey FOREIGN KEY (replaces) REFERENCES policy_version(number)
);
CREATE UNIQUE INDEX policy_version_published ON policy_version USING btree (state) WHERE state = 'published'::text;
CREATE TRIGGER policy_version_no_delete BEFORE DELETE ON policy_version FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER policy_version_no_truncate BEFORE TRUNCATE ON policy_version FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();
CREATE TRIGGER policy_version_no_update BEFORE UPDATE ON policy_version FOR EACH ROW WHEN (new.number <> old.number OR new.text <> old.text OR new.sha256 <> old.sha256 OR new.author <> old.author OR new.note <> old.note OR new.created_us <> old.created_us OR NOT (old.state = 'draft'::text AND new.state = 'published'::text OR old.state = 'published'::text AND new.state = 'retired'::text AND new.published_us = old.published_us AND NOT new.replaces IS DISTINCT FROM old.replaces)) EXECUTE FUNCTION forbid_change();

CREATE TABLE posting (
    slot bigint NOT NULL,
    seq bigint NOT NULL,
    ord integer NOT NULL,
    debit bigint NOT NULL,
    credit bigint NOT NULL,
    amount bigint NOT NULL,
    CONSTRAINT posting_pkey PRIMARY KEY (slot, seq, ord),
    CONSTRAINT posting_amount_check CHECK (amount > 0),
    CONSTRAINT posting_check CHECK (credit <> debit)
);
CREATE TRIGGER posting_no_change BEFORE DELETE OR UPDATE ON posting FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER posting_no_truncate BEFORE TRUNCATE ON posting FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE price_cancellation (
    price_version_id uuid NOT NULL,
    cancelled_us bigint NOT NULL,
    CONSTRAINT price_cancellation_pkey PRIMARY KEY (price_version_id),
    CONSTRAINT price_cancellation_price_version_id_fkey FOREIGN KEY (price_version_id) REFERENCES price_version(id)
);
CREATE TRIGGER catalog_change AFTER INSERT ON price_cancellation FOR EACH ROW EXECUTE FUNCTION note_cancellation();
CREATE TRIGGER catalog_turn BEFORE INSERT ON price_cancellation FOR EACH STATEMENT EXECUTE FUNCTION catalog_turn();
CREATE TRIGGER price_cancellation_no_change BEFORE DELETE OR UPDATE ON price_cancellation FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER price_cancellation_no_truncate BEFORE TRUNCATE ON price_cancellation FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE price_version (
    id uuid NOT NULL,
    tool_id uuid NOT NULL,
    effective_from_us bigint NOT NULL,
    spec text NOT NULL,
    created_us bigint NOT NULL,
    key text,
    CONSTRAINT price_version_pkey PRIMARY KEY (id),
    CONSTRAINT price_version_tool_id_effective_from_us_key UNIQUE (tool_id, effective_from_us),
    CONSTRAINT price_version_tool_id_fkey FOREIGN KEY (tool_id) REFERENCES tool(id)
);
CREATE UNIQUE INDEX price_version_key ON price_version USING btree (key) WHERE key IS NOT NULL;
CREATE TRIGGER catalog_change AFTER INSERT ON price_version FOR EACH ROW EXECUTE FUNCTION note_price();
CREATE TRIGGER catalog_turn BEFORE INSERT ON price_version FOR EACH STATEMENT EXECUTE FUNCTION catalog_turn();
CREATE TRIGGER price_version_no_update BEFORE UPDATE ON price_version FOR EACH ROW EXECUTE FUNCTION forbid_change();

CREATE TABLE publisher (
    id uuid NOT NULL,
    slug text NOT NULL,
    display_name text NOT NULL,
    is_suspended boolean NOT NULL,
    share_bps integer NOT NULL,
    payable bigint NOT NULL,
    created_us bigint NOT NULL,
    account_id uuid,
    website_url text,
    support_email text,
    bio text,
    legal_name text,
    country text,
    logo text,
    CONSTRAINT publisher_pkey PRIMARY KEY (id),
    CONSTRAINT publisher_payable_key UNIQUE (payable),
    CONSTRAINT publisher_slug_key UNIQUE (slug),
    CONSTRAINT publisher_share_bps_check CHECK (share_bps >= 0 AND share_bps <= 10000),
    CONSTRAINT publisher_payable_fkey FOREIGN KEY (payable) REFERENCES ledger_account(id)
);
CREATE UNIQUE INDEX publisher_account ON publisher USING btree (account_id) WHERE account_id IS NOT NULL;
CREATE TRIGGER catalog_change AFTER UPDATE ON publisher FOR EACH ROW EXECUTE FUNCTION note_publisher();
CREATE TRIGGER catalog_turn BEFORE UPDATE ON publisher FOR EACH STATEMENT EXECUTE FUNCTION catalog_turn();
CREATE TRIGGER tool_document_listed AFTER UPDATE ON publisher FOR EACH ROW WHEN (old.is_suspended <> new.is_suspended) EXECUTE FUNCTION listing_changed();

CREATE TABLE purchase (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    credits bigint NOT NULL,
    provider text NOT NULL,
    status text NOT NULL,
    key text,
    created_us bigint NOT NULL,
    confirmed_us bigint,
    failed_us bigint,
    failure text,
    CONSTRAINT purchase_pkey PRIMARY KEY (id),
    CONSTRAINT purchase_account_id_key_key UNIQUE (account_id, key),
    CONSTRAINT purchase_credits_check CHECK (credits > 0),
    CONSTRAINT purchase_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id)
);
CREATE INDEX purchase_account ON purchase USING btree (account_id, created_us);

CREATE TABLE refund_total (
    txn_id uuid NOT NULL,
    captured bigint NOT NULL,
    refunded bigint NOT NULL,
    CONSTRAINT refund_total_pkey PRIMARY KEY (txn_id),
    CONSTRAINT refund_total_captured_check CHECK (captured > 0),
    CONSTRAINT refund_total_check CHECK (refunded <= captured),
    CONSTRAINT refund_total_refunded_check CHECK (refunded >= 0)
);

CREATE TABLE refusal (
    slot bigint NOT NULL,
    seq bigint NOT NULL,
    id uuid NOT NULL,
    batch_no bigint NOT NULL,
    wallet bigint,
    reason text NOT NULL,
    needed bigint NOT NULL,
    CONSTRAINT refusal_pkey PRIMARY KEY (slot, seq)
);
CREATE TRIGGER refusal_no_change BEFORE DELETE OR UPDATE ON refusal FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER refusal_no_truncate BEFORE TRUNCATE ON refusal FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE sales_day (
    publisher_id uuid NOT NULL,
    start_us bigint NOT NULL,
    tool_id uuid NOT NULL,
    calls bigint NOT NULL,
    paid_calls bigint NOT NULL,
    charged bigint NOT NULL,
    CONSTRAINT sales_day_pkey PRIMARY KEY (publisher_id, start_us, tool_id)
);

CREATE TABLE signing_key (
    number bigint NOT NULL,
    public_key bytea NOT NULL,
    wrapped bytea NOT NULL,
    from_us bigint NOT NULL,
    CONSTRAINT signing_key_pkey PRIMARY KEY (number),
    CONSTRAINT signing_key_number_check CHECK (number > 0),
    CONSTRAINT signing_key_public_key_check CHECK (length(public_key) = 32)
);
CREATE TRIGGER signing_key_no_change BEFORE UPDATE ON signing_key FOR EACH ROW WHEN (new.wrapped = old.wrapped OR new.number <> old.number OR new.public_key <> old.public_key OR new.from_us <> old.from_us) EXECUTE FUNCTION forbid_change();
CREATE TRIGGER signing_key_no_delete BEFORE DELETE ON signing_key FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER signing_key_no_truncate BEFORE TRUNCATE ON signing_key FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE token (
    id uuid NOT NULL,
    account_id uuid,
    partner_id uuid,
    name text NOT NULL,
    hint text NOT NULL,
    digest bytea NOT NULL,
    created_us bigint NOT NULL,
    revoked_us bigint,
    CONSTRAINT token_pkey PRIMARY KEY (id),
    CONSTRAINT token_digest_key UNIQUE (digest),
    CONSTRAINT token_check CHECK ((account_id IS NULL) <> (partner_id IS NULL)),
    CONSTRAINT token_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id),
    CONSTRAINT token_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partner(id)
);
CREATE INDEX token_account ON token USING btree (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX token_partner ON token USING btree (partner_id) WHERE partner_id IS NOT NULL;

CREATE TABLE tool (
    id uuid NOT NULL,
    namespace_id uuid,
    name text NOT NULL,
    short_description text NOT NULL,
    long_description text NOT NULL,
    input_schema text NOT NULL,
    is_unverified_ok boolean NOT NULL,
    is_suspended boolean NOT NULL,
    upstream_method text NOT NULL,
    upstream_url text NOT NULL,
    timeout_ms bigint NOT NULL,
    created_us bigint NOT NULL,
    category text,
    tags text NOT NULL DEFAULT '[]'::text,
    upstream_tool text,
    group_id uuid,
    visibility text NOT NULL DEFAULT 'public'::text,
    example_prompts text NOT NULL DEFAULT '[]'::text,
    display_order bigint NOT NULL DEFAULT 0,
    rest text,
    static_args text,
    default_args text,
    unit_fields text,
    credits_per_unit text,
    CONSTRAINT tool_pkey PRIMARY KEY (id),
    CONSTRAINT tool_timeout_ms_check CHECK (timeout_ms > 0),
    CONSTRAINT tool_visibility_check CHECK (visibility = ANY (ARRAY['public'::text, 'private'::text])),
    CONSTRAINT tool_namespace_id_fkey FOREIGN KEY (namespace_id) REFERENCES namespace(id)
);
CREATE UNIQUE INDEX tool_name ON tool USING btree (namespace_id, name) NULLS NOT DISTINCT;
CREATE TRIGGER catalog_change AFTER INSERT OR UPDATE ON tool FOR EACH ROW EXECUTE FUNCTION note_tool();
CREATE TRIGGER catalog_turn BEFORE INSERT OR UPDATE ON tool FOR EACH STATEMENT EXECUTE FUNCTION catalog_turn();
CREATE TRIGGER tool_document_tool AFTER INSERT OR UPDATE ON tool FOR EACH ROW EXECUTE FUNCTION tool_changed();

CREATE TABLE tool_document (
    tool_id uuid NOT NULL,
    namespace_id uuid NOT NULL,
    category text,
    is_listed boolean NOT NULL,
    name tsvector NOT NULL,
    words tsvector NOT NULL,
    CONSTRAINT tool_document_pkey PRIMARY KEY (tool_id),
    CONSTRAINT tool_document_namespace_id_fkey FOREIGN KEY (namespace_id) REFERENCES namespace(id),
    CONSTRAINT tool_document_tool_id_fkey FOREIGN KEY (tool_id) REFERENCES tool(id)
);
CREATE INDEX tool_document_category ON tool_document USING btree (category);
CREATE INDEX tool_document_name ON tool_document USING gin (name) WITH (fastupdate=off);
CREATE INDEX tool_document_namespace ON tool_document USING btree (namespace_id);
CREATE INDEX tool_document_words ON tool_document USING gin (words) WITH (fastupdate=off);

CREATE TABLE tool_group (
    id uuid NOT NULL,
    namespace_id uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    sort_order bigint NOT NULL,
    is_default boolean NOT NULL,
    pricing text NOT NULL,
    created_us bigint NOT NULL,
    CONSTRAINT tool_group_pkey PRIMARY KEY (id),
    CONSTRAINT tool_group_namespace_id_name_key UNIQUE (namespace_id, name),
    CONSTRAINT tool_group_namespace_id_fkey FOREIGN KEY (namespace_id) REFERENCES namespace(id)
);

CREATE TABLE trial_balance (
    period bigint NOT NULL,
    kind smallint NOT NULL,
    account bigint NOT NULL,
    opening bigint NOT NULL,
    debits bigint NOT NULL,
    credits bigint NOT NULL,
    closing bigint NOT NULL,
    CONSTRAINT trial_balance_pkey PRIMARY KEY (period, kind, account),
    CONSTRAINT trial_balance_check CHECK (closing = (opening + credits - debits)),
    CONSTRAINT trial_balance_credits_check CHECK (credits >= 0),
    CONSTRAINT trial_balance_debits_check CHECK (debits >= 0)
);
CREATE TRIGGER trial_balance_no_change BEFORE DELETE OR UPDATE ON trial_balance FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER trial_balance_no_truncate BEFORE TRUNCATE ON trial_balance FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE txn (
    slot bigint NOT NULL,
    seq bigint NOT NULL,
    id uuid NOT NULL,
    kind smallint NOT NULL,
    batch_no bigint NOT NULL,
    hold_id uuid,
    reverses uuid,
    effective_us bigint NOT NULL,
    meta_hash bytea,
    CONSTRAINT txn_pkey PRIMARY KEY (slot, seq)
);
CREATE UNIQUE INDEX txn_id ON txn USING btree (id) WHERE id IS DISTINCT FROM hold_id;
CREATE INDEX txn_reverses ON txn USING btree (reverses) WHERE reverses IS NOT NULL;
CREATE TRIGGER txn_no_change BEFORE DELETE OR UPDATE ON txn FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER txn_no_truncate BEFORE TRUNCATE ON txn FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE version (
    name text NOT NULL,
    value bigint NOT NULL,
    CONSTRAINT version_pkey PRIMARY KEY (name)
) WITH (fillfactor=10);

CREATE TABLE wallet_balance (
    account_id bigint NOT NULL,
    credits bigint NOT NULL,
    debits bigint NOT NULL,
    held bigint NOT NULL,
    overdraft bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT wallet_balance_pkey PRIMARY KEY (account_id),
    CONSTRAINT wallet_balance_check CHECK ((credits - debits - held + overdraft) >= 0),
    CONSTRAINT wallet_balance_credits_check CHECK (credits >= 0),
    CONSTRAINT wallet_balance_debits_check CHECK (debits >= 0),
    CONSTRAINT wallet_balance_held_check CHECK (held >= 0),
    CONSTRAINT wallet_balance_overdraft_check CHECK (overdraft >= 0)
) WITH (fillfactor=60, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_cost_delay=0);

CREATE TABLE wallet_grant (
    slot bigint NOT NULL,
    seq bigint NOT NULL,
    id uuid NOT NULL,
    batch_no bigint NOT NULL,
    wallet bigint NOT NULL,
    account bigint NOT NULL,
    priority bigint NOT NULL,
    expires_us bigint NOT NULL,
    CONSTRAINT wallet_grant_pkey PRIMARY KEY (slot, seq),
    CONSTRAINT wallet_grant_account_key UNIQUE (account),
    CONSTRAINT wallet_grant_id_key UNIQUE (id),
    CONSTRAINT wallet_grant_check CHECK (account <> wallet),
    CONSTRAINT wallet_grant_priority_check CHECK (priority >= 0)
);
CREATE TRIGGER wallet_grant_no_change BEFORE DELETE OR UPDATE ON wallet_grant FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER wallet_grant_no_truncate BEFORE TRUNCATE ON wallet_grant FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE webhook (
    id uuid NOT NULL,
    partner_id uuid NOT NULL,
    url text NOT NULL,
    created_us bigint NOT NULL,
    removed_us bigint,
    CONSTRAINT webhook_pkey PRIMARY KEY (id),
    CONSTRAINT webhook_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partner(id)
);
CREATE INDEX webhook_partner ON webhook USING btree (partner_id, id);

CREATE TABLE webhook_delivery (
    id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    event_id uuid NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    next_us bigint NOT NULL,
    last_error text,
    created_us bigint NOT NULL,
    sent_us bigint,
    CONSTRAINT webhook_delivery_pkey PRIMARY KEY (id),
    CONSTRAINT webhook_delivery_webhook_id_event_id_key UNIQUE (webhook_id, event_id),
    CONSTRAINT webhook_delivery_event_id_fkey FOREIGN KEY (event_id) REFERENCES partner_event(id),
    CONSTRAINT webhook_delivery_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES webhook(id)
);
CREATE INDEX webhook_delivery_due ON webhook_delivery USING btree (state, next_us);
CREATE INDEX webhook_delivery_webhook ON webhook_delivery USING btree (webhook_id, id);
