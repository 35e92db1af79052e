-- Read models of suggestions and surveys, what is known of cases, and the day sums that figures are made of.
-- Written by the engine's projections and by the consumers, in the transaction of the event; read by src/store only.
-- Safe while an old version runs: creates only.

-- Estates as intake registered them: their calendar days are those of their time zone.
CREATE TABLE estate (
    tenant_id uuid NOT NULL,
    estate_id uuid NOT NULL,
    time_zone text NOT NULL,                                     -- IANA name
    PRIMARY KEY (tenant_id, estate_id)
);
ALTER TABLE estate ENABLE ROW LEVEL SECURITY;
ALTER TABLE estate FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON estate
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- One row per case: what it was before the next event, so that day sums change by the difference. Read by key only.
CREATE TABLE case_fact (
    tenant_id uuid  NOT NULL,
    case_id   uuid  NOT NULL,
    estate_id uuid  NOT NULL,
    fact      jsonb NOT NULL,                                    -- domain::fact::CaseFact; no texts, no persons
    PRIMARY KEY (tenant_id, case_id)
) WITH (fillfactor = 80);
ALTER TABLE case_fact ENABLE ROW LEVEL SECURITY;
ALTER TABLE case_fact FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON case_fact
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Day sums (domain::rollup). GET /v1/metrics and the suggestion summary read these: days × labels, whatever the
-- number of cases.
CREATE TABLE metric_day (
    tenant_id uuid   NOT NULL,
    estate_id uuid   NOT NULL,
    measure   text   NOT NULL,                                   -- domain::rollup::Measure
    on_day    date   NOT NULL,                                   -- in the estate's time zone
    label     text   NOT NULL,                                   -- a word, a score, a bucket of durations, or ''
    n         bigint NOT NULL,
    PRIMARY KEY (tenant_id, estate_id, measure, on_day, label)
) WITH (fillfactor = 70);
ALTER TABLE metric_day ENABLE ROW LEVEL SECURITY;
ALTER TABLE metric_day FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON metric_day
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- GET /v1/suggestions: what lists select by as columns, what they show as `state`.
CREATE TABLE suggestion (
    tenant_id   uuid        NOT NULL,
    case_id     uuid        NOT NULL,
    version     integer     NOT NULL CHECK (version > 0),
    estate_id   uuid        NOT NULL,
    resident_id uuid,
    stage       text        NOT NULL,
    category    text        NOT NULL,
    received_at timestamptz NOT NULL,
    accepted_at timestamptz,                                     -- when the company said yes; NULL when it did not
    changed_at  timestamptz NOT NULL,
    changed_xid bigint      NOT NULL,                            -- transaction of the last change
    state       jsonb       NOT NULL,                            -- domain::suggestion::Life
    PRIMARY KEY (tenant_id, case_id)
);
CREATE INDEX suggestion_recent ON suggestion (tenant_id, received_at DESC, case_id DESC);
CREATE INDEX suggestion_estate ON suggestion (tenant_id, estate_id, received_at DESC, case_id DESC);
CREATE INDEX suggestion_resident ON suggestion (tenant_id, resident_id, received_at DESC, case_id DESC);
CREATE INDEX suggestion_stage ON suggestion (tenant_id, stage, received_at DESC, case_id DESC);
CREATE INDEX suggestion_changed ON suggestion (tenant_id, changed_xid, case_id);
-- The suggestion summary: what was accepted last.
CREATE INDEX suggestion_accepted ON suggestion (tenant_id, estate_id, accepted_at DESC, case_id DESC)
    WHERE accepted_at IS NOT NULL;
ALTER TABLE suggestion ENABLE ROW LEVEL SECURITY;
ALTER TABLE suggestion FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON suggestion
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- GET /v1/surveys, in the same way.
CREATE TABLE survey (
    tenant_id   uuid        NOT NULL,
    survey_id   uuid        NOT NULL,
    version     integer     NOT NULL CHECK (version > 0),
    case_id     uuid        NOT NULL,
    estate_id   uuid        NOT NULL,
    resident_id uuid        NOT NULL,
    stage       text        NOT NULL,
    sent_at     timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL,
    changed_xid bigint      NOT NULL,
    state       jsonb       NOT NULL,                            -- domain::survey::Life
    PRIMARY KEY (tenant_id, survey_id)
);
CREATE INDEX survey_recent ON survey (tenant_id, sent_at DESC, survey_id DESC);
CREATE INDEX survey_estate ON survey (tenant_id, estate_id, sent_at DESC, survey_id DESC);
CREATE INDEX survey_resident ON survey (tenant_id, resident_id, sent_at DESC, survey_id DESC);
CREATE INDEX survey_case ON survey (tenant_id, case_id, sent_at DESC, survey_id DESC);
CREATE INDEX survey_changed ON survey (tenant_id, changed_xid, survey_id);
ALTER TABLE survey ENABLE ROW LEVEL SECURITY;
ALTER TABLE survey FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON survey
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));
