-- Cases that are over, as far as alerts need them: nobody is told to look at what has ended. Safe while an old version runs:
-- creates only. Of what ended before, or while an old version heard of it, nothing is known here: its alerts are told as they always were.

-- One row for each case that is over; gone when the case is taken up again. Read and written by store/ended.rs.
CREATE TABLE ended_case (
    tenant_id uuid        NOT NULL,
    case_id   uuid        NOT NULL,
    status    text        NOT NULL,                        -- closed, cancelled
    ended_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, case_id)
);
ALTER TABLE ended_case ENABLE ROW LEVEL SECURITY;
ALTER TABLE ended_case FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON ended_case
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Alerts of such cases, kept back: they are told when it turns out that the case had been taken up again by then.
CREATE TABLE kept_alert (
    tenant_id   uuid        NOT NULL,
    event_id    uuid        NOT NULL,                      -- the public event that is the reason
    case_id     uuid        NOT NULL,
    cause       text        NOT NULL,
    accounts    text[]      NOT NULL,
    matter      jsonb       NOT NULL,                      -- what it is about, as the domain has it
    ends_with   uuid[]      NOT NULL,                      -- the escalation, clock, task or promise
    happened_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, event_id)
);
CREATE INDEX kept_alert_case ON kept_alert (tenant_id, case_id);
ALTER TABLE kept_alert ENABLE ROW LEVEL SECURITY;
ALTER TABLE kept_alert FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON kept_alert
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));
