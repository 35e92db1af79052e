-- Departments may be contractors (外包), and the priority of a complaint may change: between intake, complaint and dispatch
-- there is no order, so dispatch keeps intake's last word for work orders that are opened later.
-- Safe while an old version runs: a column with a default and a table that it does not know.

ALTER TABLE department ADD COLUMN contractor boolean NOT NULL DEFAULT false;

-- How urgent complaints with work orders, or with another priority than at first, are. Read by key only.
CREATE TABLE complaint_priority (
    tenant_id uuid NOT NULL,
    case_id   uuid NOT NULL,
    priority  text NOT NULL CHECK (priority IN ('P1', 'P2', 'P3', 'P4')),
    PRIMARY KEY (tenant_id, case_id)
);
ALTER TABLE complaint_priority ENABLE ROW LEVEL SECURITY;
ALTER TABLE complaint_priority FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON complaint_priority
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));
