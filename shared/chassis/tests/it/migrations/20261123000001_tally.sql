-- The toy's read model: one row for each tally.
CREATE TABLE tally (
    tenant_id   uuid    NOT NULL,
    tally_id    uuid    NOT NULL,
    total       bigint  NOT NULL,
    version     integer NOT NULL,
    PRIMARY KEY (tenant_id, tally_id)
);
ALTER TABLE tally ENABLE ROW LEVEL SECURITY;
ALTER TABLE tally FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON tally
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- What the toy heard, in the order in which it was handled.
CREATE TABLE heard (
    tenant_id uuid   NOT NULL,
    place     bigint GENERATED ALWAYS AS IDENTITY,
    tally_id  uuid   NOT NULL,
    amount    bigint NOT NULL,
    PRIMARY KEY (tenant_id, place)
);
ALTER TABLE heard ENABLE ROW LEVEL SECURITY;
ALTER TABLE heard FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON heard
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));
