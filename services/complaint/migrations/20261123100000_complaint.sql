-- Read model of complaints: one row each, for lists and the change feed.
-- Written by the engine with every change (store.rs, `project`). What lists do not need stays in the event log alone:
-- no words here.
-- Safe while an old version runs: creates only.
CREATE TABLE complaint (
    tenant_id        uuid        NOT NULL,
    case_id          uuid        NOT NULL,
    version          integer     NOT NULL CHECK (version > 0),
    reference        text        NOT NULL,                        -- what people quote: C-261123-7K3QD4
    stage            text        NOT NULL CHECK (stage IN (
                         'received', 'acknowledged', 'assessed', 'investigating', 'awaiting_owner', 'proposed',
                         'decided', 'remedying', 'verified', 'closed', 'withdrawn')),
    category         text        NOT NULL,                        -- code of the taxonomy, as assessed
    severity         text        CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    priority         text        NOT NULL CHECK (priority IN ('P1', 'P2', 'P3', 'P4')),
    estate_id        uuid        NOT NULL,
    unit_id          uuid,
    resident_id      uuid,
    points           integer     NOT NULL,
    open_remedies    integer     NOT NULL,
    open_commitments integer     NOT NULL,
    opened_at        timestamptz NOT NULL,                        -- when the case was opened
    updated_at       timestamptz NOT NULL,
    changed_xid      bigint      NOT NULL,                        -- transaction of the last change, for the feed
    PRIMARY KEY (tenant_id, case_id)
);

-- GET /v1/complaints: newest first, of all estates or of one; an owner's own; in one stage; the feed.
CREATE INDEX complaint_newest ON complaint (tenant_id, opened_at DESC, case_id DESC);
CREATE INDEX complaint_newest_of_estate ON complaint (tenant_id, estate_id, opened_at DESC, case_id DESC);
CREATE INDEX complaint_newest_of_resident ON complaint (tenant_id, resident_id, opened_at DESC, case_id DESC);
-- Few are not over; most that are lie at the top of complaint_newest.
CREATE INDEX complaint_open ON complaint (tenant_id, stage, estate_id, opened_at DESC, case_id DESC)
    WHERE stage NOT IN ('closed', 'withdrawn');
CREATE INDEX complaint_changed ON complaint (tenant_id, changed_xid, case_id);

ALTER TABLE complaint ENABLE ROW LEVEL SECURITY;
ALTER TABLE complaint FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON complaint
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));
