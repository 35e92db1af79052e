-- Read models of stewardships: who answers for a case, its clocks, its promises, what was escalated; projected from the log, in the same
-- transaction. Safe while an old version runs: creates only. Cases that are older than this migration get a stewardship with their next step.

CREATE TABLE stewardship (
    tenant_id         uuid        NOT NULL,
    case_id           uuid        NOT NULL,
    version           integer     NOT NULL CHECK (version > 0),
    changed_xid       bigint      NOT NULL,
    estate_id         uuid        NOT NULL,
    resident_id       uuid,
    open              boolean     NOT NULL,
    episode           integer     NOT NULL,
    accountable       text        NOT NULL,                 -- subject of the token of who answers for the case
    why               text        NOT NULL,                 -- first_receiver, post, hand_over
    accountable_since timestamptz NOT NULL,
    asked             text,                                 -- who was asked to take over
    lapses_at         timestamptz,
    opened_at         timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, case_id)
);
-- Whose open cases these are, and who was asked for one.
CREATE INDEX stewardship_accountable ON stewardship (tenant_id, accountable, opened_at DESC, case_id DESC) WHERE open;
CREATE INDEX stewardship_asked ON stewardship (tenant_id, asked, opened_at DESC, case_id DESC) WHERE asked IS NOT NULL;
ALTER TABLE stewardship ENABLE ROW LEVEL SECURITY;
ALTER TABLE stewardship FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON stewardship
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

CREATE TABLE clock (
    tenant_id     uuid        NOT NULL,
    clock_id      uuid        NOT NULL,
    changed_xid   bigint      NOT NULL,
    case_id       uuid        NOT NULL,
    work_order_id uuid,                                     -- NULL = the case as a whole
    estate_id     uuid        NOT NULL,
    resident_id   uuid,
    reference     text        NOT NULL,                     -- of the case
    kind          text        NOT NULL,
    category      text        NOT NULL,
    priority      text        NOT NULL,
    measure       text        NOT NULL,
    party         text        NOT NULL,                     -- company, department, contractor
    department    text        NOT NULL,                     -- '' = the company
    episode       integer     NOT NULL,
    state         text        NOT NULL,                     -- running, paused, met, missed, void
    started_at    timestamptz NOT NULL,
    due_at        timestamptz,                              -- NULL while a pause without end lasts
    at_risk_at    timestamptz,
    breached_at   timestamptz,
    stopped_at    timestamptz,
    late_entry    boolean     NOT NULL,
    data          jsonb       NOT NULL,                     -- the clock as the library has it: targets, pauses
    PRIMARY KEY (tenant_id, clock_id)
);
CREATE INDEX clock_case ON clock (tenant_id, case_id);
CREATE INDEX clock_recent ON clock (tenant_id, started_at DESC, clock_id DESC);
CREATE INDEX clock_estate ON clock (tenant_id, estate_id, started_at DESC, clock_id DESC);
-- What runs is little: the board, the summary, the figures of deadlines at risk.
CREATE INDEX clock_running ON clock (tenant_id, estate_id, due_at) WHERE state IN ('running', 'paused');
CREATE INDEX clock_order ON clock (tenant_id, work_order_id) WHERE work_order_id IS NOT NULL;
CREATE INDEX clock_feed ON clock (tenant_id, changed_xid, clock_id);
ALTER TABLE clock ENABLE ROW LEVEL SECURITY;
ALTER TABLE clock FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON clock
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

CREATE TABLE escalation (
    tenant_id       uuid        NOT NULL,
    escalation_id   uuid        NOT NULL,                   -- made of ladder and rung: no rung is reached twice
    changed_xid     bigint      NOT NULL,
    case_id         uuid        NOT NULL,
    clock_id        uuid,                                   -- NULL = another cause than a clock
    estate_id       uuid        NOT NULL,
    reference       text        NOT NULL,
    kind            text        NOT NULL,
    category        text        NOT NULL,
    priority        text        NOT NULL,
    measure         text        NOT NULL,                   -- '' = no clock
    cause           text        NOT NULL,
    standing        smallint    NOT NULL,                   -- order of causes: 0 = unowned … 5 = share of a clock
    level           text        NOT NULL,
    rung            integer     NOT NULL,
    share           integer     NOT NULL,                   -- of the clock, percent
    due_at          timestamptz,
    told            text[]      NOT NULL,                   -- subjects of tokens
    raised_at       timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text,
    settled_at      timestamptz,                            -- taken in hand, or what it was about is done; NULL = it needs somebody
    PRIMARY KEY (tenant_id, escalation_id)
);
CREATE INDEX escalation_recent ON escalation (tenant_id, raised_at DESC, escalation_id DESC);
CREATE INDEX escalation_estate ON escalation (tenant_id, estate_id, raised_at DESC, escalation_id DESC);
-- What needs somebody is little.
CREATE INDEX escalation_open ON escalation (tenant_id, estate_id, raised_at DESC, escalation_id DESC) WHERE settled_at IS NULL;
CREATE INDEX escalation_case ON escalation (tenant_id, case_id);
CREATE INDEX escalation_told ON escalation USING gin (told) WHERE settled_at IS NULL;
CREATE INDEX escalation_feed ON escalation (tenant_id, changed_xid, escalation_id);
ALTER TABLE escalation ENABLE ROW LEVEL SECURITY;
ALTER TABLE escalation FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON escalation
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

CREATE TABLE promise (
    tenant_id   uuid        NOT NULL,
    promise_id  uuid        NOT NULL,
    changed_xid bigint      NOT NULL,
    case_id     uuid        NOT NULL,
    estate_id   uuid        NOT NULL,
    resident_id uuid,
    reference   text        NOT NULL,
    what        text        NOT NULL,
    team        text        NOT NULL,                       -- code of the department, '' = the company
    due_at      timestamptz NOT NULL,
    made_at     timestamptz NOT NULL,
    outcome     text,                                       -- kept, broken, moved, void; NULL = open
    ended_at    timestamptz,
    PRIMARY KEY (tenant_id, promise_id)
);
CREATE INDEX promise_recent ON promise (tenant_id, made_at DESC, promise_id DESC);
CREATE INDEX promise_estate ON promise (tenant_id, estate_id, made_at DESC, promise_id DESC);
CREATE INDEX promise_case ON promise (tenant_id, case_id);
-- How the teams keep what falls due in a period, whatever the estates.
CREATE INDEX promise_due ON promise (tenant_id, due_at) INCLUDE (estate_id, team, outcome);
CREATE INDEX promise_feed ON promise (tenant_id, changed_xid, promise_id);
ALTER TABLE promise ENABLE ROW LEVEL SECURITY;
ALTER TABLE promise FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON promise
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- The figures of deadlines at risk are counted over all companies, by the role of the platform's loops: it sees when clocks are due, not of what.
DO $$
BEGIN
    EXECUTE format('GRANT SELECT (state, party, measure, priority, due_at, at_risk_at) ON clock TO %I',
                   'steward_' || current_schema() || '_platform');
    EXECUTE format('GRANT SELECT (cause, level, raised_at, settled_at) ON escalation TO %I',
                   'steward_' || current_schema() || '_platform');
END
$$;
