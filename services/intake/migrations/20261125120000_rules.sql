-- What decides about time and responsibility: calendars, public holidays, clock policies, posts, absences. Few rows, read as a whole by every process
-- (src/rules.rs) whenever one of them has changed. Safe while an old version runs: creates only.

CREATE TABLE calendar (
    tenant_id   uuid        NOT NULL,
    calendar_id uuid        NOT NULL,
    version     integer     NOT NULL CHECK (version > 0),
    changed_xid bigint      NOT NULL,
    code        text        NOT NULL,
    name        text        NOT NULL,
    estate_id   uuid,                                     -- NULL = for all estates
    versions    jsonb       NOT NULL,                     -- [{version, rules, valid_from}], oldest first
    written_at  timestamptz NOT NULL,                     -- of the first version
    changed_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, calendar_id),
    CONSTRAINT calendar_code_key UNIQUE (tenant_id, code)
);
CREATE INDEX calendar_recent ON calendar (tenant_id, written_at DESC, calendar_id DESC);
CREATE INDEX calendar_feed ON calendar (tenant_id, changed_xid, calendar_id);
ALTER TABLE calendar ENABLE ROW LEVEL SECURITY;
ALTER TABLE calendar FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON calendar
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Arrangements of public holidays that the company loaded besides those that ship with the product, in the order of loading.
CREATE TABLE public_holidays (
    tenant_id   uuid        NOT NULL,
    number      integer     NOT NULL CHECK (number > 0),  -- a clock keeps the number that was the last when it started
    changed_xid bigint      NOT NULL,
    holidays_id uuid        NOT NULL,                     -- of region and year
    version     integer     NOT NULL CHECK (version > 0),
    region      text        NOT NULL,
    year        integer     NOT NULL,
    arrangement jsonb       NOT NULL,
    loaded_at   timestamptz NOT NULL,
    loaded_by   text        NOT NULL,                     -- subject of the token
    PRIMARY KEY (tenant_id, number),
    CONSTRAINT public_holidays_version_key UNIQUE (tenant_id, holidays_id, version)
);
CREATE INDEX public_holidays_feed ON public_holidays (tenant_id, changed_xid, number);
ALTER TABLE public_holidays ENABLE ROW LEVEL SECURITY;
ALTER TABLE public_holidays FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON public_holidays
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

CREATE TABLE clock_policy (
    tenant_id   uuid        NOT NULL,
    policy_id   uuid        NOT NULL,                     -- of its scope
    version     integer     NOT NULL CHECK (version > 0),
    changed_xid bigint      NOT NULL,
    scope       text        NOT NULL CHECK (scope IN ('company', 'region', 'estate')),
    region      text        NOT NULL,                     -- '' unless of a region
    estate_id   uuid,                                     -- NULL unless of an estate
    versions    jsonb       NOT NULL,                     -- [{version, policy, valid_from}], oldest first
    written_at  timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, policy_id)
);
CREATE INDEX clock_policy_recent ON clock_policy (tenant_id, written_at DESC, policy_id DESC);
CREATE INDEX clock_policy_feed ON clock_policy (tenant_id, changed_xid, policy_id);
ALTER TABLE clock_policy ENABLE ROW LEVEL SECURITY;
ALTER TABLE clock_policy FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON clock_policy
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

CREATE TABLE post (
    tenant_id   uuid        NOT NULL,
    post_id     uuid        NOT NULL,                     -- of level and place
    version     integer     NOT NULL CHECK (version > 0),
    changed_xid bigint      NOT NULL,
    level       text        NOT NULL CHECK (level IN ('lead', 'estate_manager', 'region', 'company')),
    estate_id   uuid,                                     -- of a lead or an estate manager
    department  text        NOT NULL,                     -- of a lead; '' = of all departments
    region      text        NOT NULL,                     -- of a region
    account     text,                                     -- who holds it; NULL = vacant
    since       timestamptz NOT NULL,
    written_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, post_id)
);
CREATE INDEX post_recent ON post (tenant_id, written_at DESC, post_id DESC);
CREATE INDEX post_feed ON post (tenant_id, changed_xid, post_id);
ALTER TABLE post ENABLE ROW LEVEL SECURITY;
ALTER TABLE post FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON post
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

CREATE TABLE absence (
    tenant_id   uuid        NOT NULL,
    absence_id  uuid        NOT NULL,
    version     integer     NOT NULL CHECK (version > 0),
    changed_xid bigint      NOT NULL,
    account     text        NOT NULL,                     -- who is away
    cover       text        NOT NULL,                     -- who acts for them
    from_at     timestamptz NOT NULL,
    to_at       timestamptz NOT NULL,                     -- earlier than planned when it was ended
    PRIMARY KEY (tenant_id, absence_id),
    CHECK (to_at >= from_at)
);
CREATE INDEX absence_recent ON absence (tenant_id, from_at DESC, absence_id DESC);
CREATE INDEX absence_account ON absence (tenant_id, account, to_at);
CREATE INDEX absence_feed ON absence (tenant_id, changed_xid, absence_id);
ALTER TABLE absence ENABLE ROW LEVEL SECURITY;
ALTER TABLE absence FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON absence
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));
