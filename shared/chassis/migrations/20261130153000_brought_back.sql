-- What is needed to notice that a database or a stream was brought back to an earlier state.
-- Safe while an old version runs: it leaves the new columns alone, and heard_at counts only for the version that stands beside it.
ALTER TABLE inbox
    ADD COLUMN heard_version integer,                      -- of which version heard_at is; another than version: an old program has moved on
    ADD COLUMN heard_at      timestamptz,                  -- when the event of that version was recorded
    ADD COLUMN forked_at     timestamptz;                  -- when the event was with which the history went on anew: what was before it and comes later is lost

ALTER TABLE relay_state
    ADD COLUMN first_sequence bigint,                      -- the oldest message in the stream, when it was looked at last
    ADD COLUMN first_at       timestamptz,                 -- when the stream took it
    ADD COLUMN epochs         jsonb NOT NULL DEFAULT '{}'; -- consumer -> epoch of the data in which it heard last

-- Events that the stream had and the log does not have any more: what others may have heard before the log was brought back.
CREATE TABLE lost_event (
    event_id    uuid        NOT NULL PRIMARY KEY,
    tenant_id   uuid        NOT NULL,
    aggregate   text        NOT NULL,
    stream_id   uuid        NOT NULL,
    version     integer     NOT NULL,
    suffix      text        NOT NULL,
    recorded_at timestamptz NOT NULL,
    found_at    timestamptz NOT NULL
);
CREATE INDEX lost_event_tenant ON lost_event (tenant_id); -- a company that leaves
ALTER TABLE lost_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE lost_event FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON lost_event
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

DO $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON lost_event TO %I', 'steward_' || current_schema() || '_platform');
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON lost_event FROM %I', 'steward_' || current_schema());
END
$$;
