-- Which complaints have ended, as their service and intake tell: nobody is sent for them any more until their owner comes back.
-- Safe while an old version runs: creates only.
CREATE TABLE complaint_end (
    tenant_id    uuid NOT NULL,
    case_id      uuid NOT NULL,
    over         boolean NOT NULL,
    came_back_at timestamptz,                                     -- when its owner said last that it is not solved
    PRIMARY KEY (tenant_id, case_id)
);
ALTER TABLE complaint_end ENABLE ROW LEVEL SECURITY;
ALTER TABLE complaint_end FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON complaint_end
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));
