-- Who answers for a case, as intake tells: whoever does has handled it, and does not take down its owner's word.
-- Safe while an old version runs: creates only.
CREATE TABLE accountable (
    tenant_id uuid NOT NULL,
    case_id   uuid NOT NULL,
    account   text NOT NULL,                                      -- subject of the token
    PRIMARY KEY (tenant_id, case_id)
);
ALTER TABLE accountable ENABLE ROW LEVEL SECURITY;
ALTER TABLE accountable FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON accountable
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- The technicians who were given work orders of a complaint's remedies: they have handled it, too.
CREATE TABLE remedy_technician (
    tenant_id uuid NOT NULL,
    case_id   uuid NOT NULL,
    account   text NOT NULL,                                      -- subject of the token
    PRIMARY KEY (tenant_id, case_id, account)
);
ALTER TABLE remedy_technician ENABLE ROW LEVEL SECURITY;
ALTER TABLE remedy_technician FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON remedy_technician
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));
