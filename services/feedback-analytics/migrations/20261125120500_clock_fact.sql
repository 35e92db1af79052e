-- What is known of each clock, because its stop has the last word on what its breach said before: the day sums are
-- moved by the difference. Promises and escalations need no row: each of their events counts once and for ever.
-- Written by the consumers in the transaction of the event; read by key only.
-- Safe while an old version runs: creates only.

CREATE TABLE clock_fact (
    tenant_id uuid  NOT NULL,
    clock_id  uuid  NOT NULL,
    estate_id uuid  NOT NULL,
    fact      jsonb NOT NULL,                                    -- domain::clock::ClockFact; no texts, no persons
    PRIMARY KEY (tenant_id, clock_id)
) WITH (fillfactor = 80);
ALTER TABLE clock_fact ENABLE ROW LEVEL SECURITY;
ALTER TABLE clock_fact FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON clock_fact
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));
