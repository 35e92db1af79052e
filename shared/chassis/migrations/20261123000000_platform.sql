-- The tables every service has: event log, keys of commands, outbox, relay state, inbox, parked messages, timers.
-- Applied to each service's schema under that schema's owner role, before the service's own migrations.
-- Safe while an old version runs: creates only.

-- The history. Nothing in it is ever updated or deleted; the service's role may not.
CREATE TABLE event (
    position    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- rises with the version inside one aggregate
    event_id    uuid        NOT NULL,
    tenant_id   uuid        NOT NULL,
    aggregate   text        NOT NULL,                                  -- Aggregate::NAME
    stream_id   uuid        NOT NULL,                                  -- the aggregate's id
    version     integer     NOT NULL CHECK (version > 0),
    kind        text        NOT NULL,                                  -- tag of the payload
    actor       text        NOT NULL,
    occurred_at timestamptz NOT NULL,                                  -- as told
    recorded_at timestamptz NOT NULL,                                  -- as written
    trace       text,                                                  -- W3C traceparent
    payload     json        NOT NULL,                                  -- verbatim, since the hash is over these bytes
    hash        bytea       NOT NULL,                                  -- SHA-256 over the previous hash and this event
    suffix      text,                                                  -- public event: end of its subject; NULL = private
    message     bytea,                                                 -- public event: protobuf
    previous    text,                                                  -- public event: version a listener saw before (chassis README)
    CONSTRAINT event_version_key UNIQUE (tenant_id, aggregate, stream_id, version)
);
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
ALTER TABLE event FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON event
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Keys of commands already done, kept 72 h: key -> the aggregate and version that was the answer.
CREATE TABLE command_log (
    tenant_id   uuid        NOT NULL,
    command_key text        NOT NULL,
    fingerprint bytea       NOT NULL,
    aggregate   text        NOT NULL,
    stream_id   uuid        NOT NULL,
    version     integer     NOT NULL,
    claimed_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, command_key)
);
CREATE INDEX command_log_age ON command_log (claimed_at);
ALTER TABLE command_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE command_log FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON command_log
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Public events not yet acknowledged by JetStream; the event itself stands in the log.
CREATE TABLE outbox (
    position  bigint NOT NULL PRIMARY KEY,
    tenant_id uuid   NOT NULL
);
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON outbox
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- What the relay last knew of its JetStream stream, so that a lost or old one is noticed. One row. Not of any tenant.
CREATE TABLE relay_state (
    one_row        boolean     NOT NULL PRIMARY KEY DEFAULT true CHECK (one_row),
    stream_created timestamptz,           -- identity of the stream; another one means the old one is gone
    last_sequence  bigint      NOT NULL,  -- highest sequence acknowledged
    replay_next    bigint,                -- publishing again from this position; NULL = nothing to publish again
    replay_end     bigint                 -- up to and with this position
);
INSERT INTO relay_state (last_sequence) VALUES (0);

-- How far each consumer has come with each aggregate of another service: makes handling exactly once and in order.
CREATE TABLE inbox (
    tenant_id uuid    NOT NULL,
    consumer  text    NOT NULL,
    aggregate text    NOT NULL,
    stream_id uuid    NOT NULL,
    version   integer NOT NULL,
    parked    boolean NOT NULL DEFAULT false,   -- a message of it is parked; later ones queue behind it
    PRIMARY KEY (tenant_id, consumer, aggregate, stream_id)
);
ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON inbox
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Messages that could not be handled, with the reason; replayed by one command.
CREATE TABLE dead_letter (
    tenant_id uuid        NOT NULL,
    consumer  text        NOT NULL,
    event_id  uuid        NOT NULL,
    aggregate text        NOT NULL,
    stream_id uuid        NOT NULL,
    version   integer     NOT NULL,
    subject   text        NOT NULL,
    headers   jsonb       NOT NULL,
    message   bytea       NOT NULL,
    reason    text        NOT NULL,
    parked_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, consumer, event_id)
);
CREATE INDEX dead_letter_order ON dead_letter (tenant_id, consumer, aggregate, stream_id, version);
ALTER TABLE dead_letter ENABLE ROW LEVEL SECURITY;
ALTER TABLE dead_letter FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON dead_letter
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- What is due later. A row is deleted in the transaction that does the work: fired exactly once.
CREATE TABLE timer (
    tenant_id uuid        NOT NULL,
    aggregate text        NOT NULL,
    stream_id uuid        NOT NULL,
    name      text        NOT NULL,
    due_at    timestamptz NOT NULL,
    attempts  integer     NOT NULL DEFAULT 0,
    trace     text,
    PRIMARY KEY (tenant_id, aggregate, stream_id, name)
);
CREATE INDEX timer_due ON timer (due_at);
ALTER TABLE timer ENABLE ROW LEVEL SECURITY;
ALTER TABLE timer FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON timer
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- The service's role appends to the log and reads it, no more. The role of the platform's loops (relay, timers, housekeeping)
-- passes row security, but sees only these tables.
DO $$
DECLARE
    app      text := 'steward_' || current_schema();
    platform text := 'steward_' || current_schema() || '_platform';
BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE ON event FROM %I', app);
    EXECUTE format('REVOKE ALL ON relay_state FROM %I', app);
    EXECUTE format('GRANT SELECT ON event, dead_letter, timer, inbox TO %I', platform);
    EXECUTE format('GRANT SELECT, DELETE ON outbox, command_log TO %I', platform);
    EXECUTE format('GRANT SELECT, UPDATE ON relay_state TO %I', platform);
END
$$;
