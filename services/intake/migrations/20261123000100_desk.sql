-- Read models of cases, inquiries and visits: one row each, for lists; projected from the log, in the same transaction.
-- Safe while an old version runs: creates only.

CREATE TABLE intake_case (                                  -- `case` is a word of SQL
    tenant_id          uuid        NOT NULL,
    case_id            uuid        NOT NULL,
    version            integer     NOT NULL CHECK (version > 0),
    changed_xid        bigint      NOT NULL,
    reference          text        NOT NULL,                -- what people quote; once in a while two share one, so not unique
    kind               text        NOT NULL,
    category           text        NOT NULL,
    priority           text        NOT NULL,
    status             text        NOT NULL,
    stage              text        NOT NULL,                -- of the service that works on it
    words              text        NOT NULL,                -- verbatim
    channel            text        NOT NULL,
    estate_id          uuid        NOT NULL,
    unit_id            uuid,
    resident_id        uuid,
    visit_id           uuid,
    linked_case_ids    uuid[]      NOT NULL,
    file_ids           uuid[]      NOT NULL,
    language           text        NOT NULL,
    opened_by          text        NOT NULL,                -- a role word
    satisfaction_asked boolean     NOT NULL,
    said_at            timestamptz NOT NULL,
    opened_at          timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, case_id)
);
-- GET /v1/cases: newest first, alone or by estate, resident, visit, status; by reference; the feed.
CREATE INDEX intake_case_recent ON intake_case (tenant_id, opened_at DESC, case_id DESC);
CREATE INDEX intake_case_estate ON intake_case (tenant_id, estate_id, opened_at DESC, case_id DESC);
CREATE INDEX intake_case_resident ON intake_case (tenant_id, resident_id, opened_at DESC, case_id DESC)
    WHERE resident_id IS NOT NULL;
-- Few are not over; most that are lie at the top of intake_case_recent.
CREATE INDEX intake_case_open ON intake_case (tenant_id, status, estate_id, opened_at DESC, case_id DESC)
    WHERE status NOT IN ('closed', 'cancelled');
CREATE INDEX intake_case_visit ON intake_case (tenant_id, visit_id) WHERE visit_id IS NOT NULL;
CREATE INDEX intake_case_reference ON intake_case (tenant_id, reference);
CREATE INDEX intake_case_feed ON intake_case (tenant_id, changed_xid, case_id);
ALTER TABLE intake_case ENABLE ROW LEVEL SECURITY;
ALTER TABLE intake_case FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON intake_case
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

CREATE TABLE inquiry (
    tenant_id       uuid        NOT NULL,
    case_id         uuid        NOT NULL,                   -- of the case and of the inquiry
    version         integer     NOT NULL CHECK (version > 0),
    changed_xid     bigint      NOT NULL,
    reference       text        NOT NULL,
    stage           text        NOT NULL,
    words           text        NOT NULL,                   -- the question, verbatim
    estate_id       uuid        NOT NULL,
    resident_id     uuid,
    answer          text,                                   -- the answer that holds, in words
    article_id      uuid,                                   -- … and the article it rests on
    article_version integer,
    important       boolean     NOT NULL,
    written_reply   boolean     NOT NULL,
    asked_at        timestamptz NOT NULL,
    answered_at     timestamptz,
    follow_up_at    timestamptz,                            -- when the owner is to be called back
    missed_calls    integer     NOT NULL,
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, case_id)
);
-- GET /v1/inquiries.
CREATE INDEX inquiry_recent ON inquiry (tenant_id, asked_at DESC, case_id DESC);
CREATE INDEX inquiry_estate ON inquiry (tenant_id, estate_id, asked_at DESC, case_id DESC);
CREATE INDEX inquiry_resident ON inquiry (tenant_id, resident_id, asked_at DESC, case_id DESC) WHERE resident_id IS NOT NULL;
CREATE INDEX inquiry_open ON inquiry (tenant_id, stage, estate_id, asked_at DESC, case_id DESC)
    WHERE stage <> 'closed';
CREATE INDEX inquiry_feed ON inquiry (tenant_id, changed_xid, case_id);
ALTER TABLE inquiry ENABLE ROW LEVEL SECURITY;
ALTER TABLE inquiry FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON inquiry
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

CREATE TABLE visit (
    tenant_id    uuid        NOT NULL,
    visit_id     uuid        NOT NULL,
    version      integer     NOT NULL CHECK (version > 0),
    changed_xid  bigint      NOT NULL,
    estate_id    uuid        NOT NULL,
    resident_id  uuid,
    purpose      text,
    queue_number integer     NOT NULL CHECK (queue_number > 0),
    stage        text        NOT NULL,
    arrived_at   timestamptz NOT NULL,
    called_at    timestamptz,
    served_at    timestamptz,
    ended_at     timestamptz,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, visit_id)
);
-- GET /v1/visits.
CREATE INDEX visit_recent ON visit (tenant_id, arrived_at DESC, visit_id DESC);
CREATE INDEX visit_estate ON visit (tenant_id, estate_id, arrived_at DESC, visit_id DESC);
CREATE INDEX visit_resident ON visit (tenant_id, resident_id, arrived_at DESC, visit_id DESC)
    WHERE resident_id IS NOT NULL;
CREATE INDEX visit_open ON visit (tenant_id, stage, estate_id, arrived_at DESC, visit_id DESC)
    WHERE stage NOT IN ('finished', 'left');
CREATE INDEX visit_feed ON visit (tenant_id, changed_xid, visit_id);
ALTER TABLE visit ENABLE ROW LEVEL SECURITY;
ALTER TABLE visit FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON visit
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- The last number given out in an estate's queue on a day of the estate. Locked while the next visit is written.
CREATE TABLE visit_queue (
    tenant_id   uuid    NOT NULL,
    estate_id   uuid    NOT NULL,
    on_day      date    NOT NULL,
    last_number integer NOT NULL,
    PRIMARY KEY (tenant_id, estate_id, on_day)
);
ALTER TABLE visit_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE visit_queue FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON visit_queue
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));
