-- Messages that came before their turn: they wait here for the one before them, for as long as that takes.
-- Safe while an old version runs: creates only. What waits here an old version does not see: after a roll-back the new one, or its source's
-- `republish`, brings it.
CREATE TABLE early_message (
    consumer  text        NOT NULL,
    tenant_id uuid        NOT NULL,
    aggregate text        NOT NULL,
    stream_id uuid        NOT NULL,
    version   integer     NOT NULL,
    event_id  uuid        NOT NULL,
    previous  integer     NOT NULL,                            -- version that has to be handled before
    subject   text        NOT NULL,
    headers   jsonb       NOT NULL,
    message   bytea       NOT NULL,
    since     timestamptz NOT NULL,
    PRIMARY KEY (consumer, tenant_id, aggregate, stream_id, version, event_id)
);
CREATE INDEX early_message_since ON early_message (since);      -- what waits for too long
CREATE INDEX early_message_tenant ON early_message (tenant_id); -- a company that leaves
ALTER TABLE early_message ENABLE ROW LEVEL SECURITY;
ALTER TABLE early_message FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON early_message
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

DO $$
BEGIN
    EXECUTE format('GRANT SELECT ON early_message TO %I', 'steward_' || current_schema() || '_platform');
END
$$;
