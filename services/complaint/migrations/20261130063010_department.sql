-- Departments of the company, as dispatch tells: work for a complaint is ordered from one that is there.
-- Safe while an old version runs: creates only.
CREATE TABLE department (
    tenant_id     uuid    NOT NULL,
    department_id uuid    NOT NULL,
    code          text    NOT NULL,
    estate_ids    uuid[],                                         -- NULL = all of the company, also those that come later
    closed        boolean NOT NULL,
    skills        text[]  NOT NULL,                               -- of its technicians; empty = it has none
    PRIMARY KEY (tenant_id, department_id)
);
ALTER TABLE department ENABLE ROW LEVEL SECURITY;
ALTER TABLE department FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON department
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));
