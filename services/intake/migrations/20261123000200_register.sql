-- The register (estates, units, residents, staff), the handbook's articles, desk checks and files.
-- Written by imports, by commands on articles, desk checks and files; read by the lists of `http/` and by the opening of cases.
-- Safe while an old version runs: creates only.

-- Read model of estates: one row each. Projected from the log.
CREATE TABLE estate (
    tenant_id     uuid        NOT NULL,
    estate_id     uuid        NOT NULL,
    version       integer     NOT NULL CHECK (version > 0),
    changed_xid   bigint      NOT NULL,
    code          text        NOT NULL,
    name          text        NOT NULL,
    region        text        NOT NULL,
    time_zone     text        NOT NULL,                  -- IANA name
    buildings     integer     NOT NULL,
    units         integer     NOT NULL,
    households    integer     NOT NULL,                  -- units with at least one resident
    registered_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, estate_id),
    CONSTRAINT estate_code_key UNIQUE (tenant_id, code)
);
CREATE INDEX estate_recent ON estate (tenant_id, registered_at DESC, estate_id DESC);
CREATE INDEX estate_feed ON estate (tenant_id, changed_xid, estate_id);
ALTER TABLE estate ENABLE ROW LEVEL SECURITY;
ALTER TABLE estate FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON estate
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Units. A building is the name that its units share: it has nothing of its own yet.
CREATE TABLE unit (
    tenant_id     uuid             NOT NULL,
    unit_id       uuid             NOT NULL,
    changed_xid   bigint           NOT NULL,
    estate_id     uuid             NOT NULL,
    building      text             NOT NULL,
    entrance      text             NOT NULL,             -- '' = the building has one entrance
    unit          text             NOT NULL,
    floor         text             NOT NULL,             -- '' = not known; basements have letters
    area_m2       double precision CHECK (area_m2 > 0),
    registered_at timestamptz      NOT NULL,
    PRIMARY KEY (tenant_id, unit_id),
    CONSTRAINT unit_place_key UNIQUE (tenant_id, estate_id, building, entrance, unit)
);
CREATE INDEX unit_recent ON unit (tenant_id, estate_id, registered_at DESC, unit_id DESC);
CREATE INDEX unit_feed ON unit (tenant_id, changed_xid, unit_id);
ALTER TABLE unit ENABLE ROW LEVEL SECURITY;
ALTER TABLE unit FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON unit
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Residents: personal data. Every reading by people is written down in personal_data_access.
CREATE TABLE resident (
    tenant_id     uuid        NOT NULL,
    resident_id   uuid        NOT NULL,
    version       integer     NOT NULL CHECK (version > 0),
    changed_xid   bigint      NOT NULL,
    code          text        NOT NULL,
    name          text        NOT NULL,
    phone         text        NOT NULL,                  -- '' = not known
    language      text        NOT NULL CHECK (language IN ('zh-Hans', 'zh-Hant', 'en')),
    registered_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, resident_id),
    CONSTRAINT resident_code_key UNIQUE (tenant_id, code)
);
CREATE INDEX resident_recent ON resident (tenant_id, registered_at DESC, resident_id DESC);
CREATE INDEX resident_feed ON resident (tenant_id, changed_xid, resident_id);
ALTER TABLE resident ENABLE ROW LEVEL SECURITY;
ALTER TABLE resident FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON resident
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Who is tied to which unit, as what.
CREATE TABLE resident_unit (
    tenant_id   uuid NOT NULL,
    resident_id uuid NOT NULL,
    unit_id     uuid NOT NULL,
    estate_id   uuid NOT NULL,                           -- the unit's
    role        text NOT NULL CHECK (role IN ('owner', 'co_owner', 'tenant', 'family', 'agent')),
    since_on    date,
    PRIMARY KEY (tenant_id, resident_id, unit_id)
);
CREATE INDEX resident_unit_unit ON resident_unit (tenant_id, unit_id);
CREATE INDEX resident_unit_estate ON resident_unit (tenant_id, estate_id, resident_id);
ALTER TABLE resident_unit ENABLE ROW LEVEL SECURITY;
ALTER TABLE resident_unit FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON resident_unit
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Who read whose personal data, and when. Only ever added to.
CREATE TABLE personal_data_access (
    tenant_id    uuid        NOT NULL,
    access_id    uuid        NOT NULL,
    actor        text        NOT NULL,                   -- subject of the token
    operation    text        NOT NULL,                   -- as in the API document
    resident_ids uuid[]      NOT NULL,
    read_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, access_id)
);
CREATE INDEX personal_data_access_recent ON personal_data_access (tenant_id, read_at DESC);
CREATE INDEX personal_data_access_resident ON personal_data_access USING gin (resident_ids);
ALTER TABLE personal_data_access ENABLE ROW LEVEL SECURITY;
ALTER TABLE personal_data_access FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON personal_data_access
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- The company's people, as the register has them. Who may do what stands in their tokens, not here.
CREATE TABLE staff (
    tenant_id     uuid        NOT NULL,
    staff_id      uuid        NOT NULL,
    changed_xid   bigint      NOT NULL,
    code          text        NOT NULL,
    name          text        NOT NULL,
    role          text        NOT NULL,
    department    text        NOT NULL,
    account       text        NOT NULL,                  -- '' = has none
    estate_ids    uuid[],                                -- NULL = all estates
    registered_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, staff_id),
    CONSTRAINT staff_code_key UNIQUE (tenant_id, code)
);
CREATE INDEX staff_recent ON staff (tenant_id, registered_at DESC, staff_id DESC);
CREATE INDEX staff_feed ON staff (tenant_id, changed_xid, staff_id);
ALTER TABLE staff ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON staff
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Read model of articles: the newest version of each. Former ones stand in the log.
CREATE TABLE article (
    tenant_id   uuid        NOT NULL,
    article_id  uuid        NOT NULL,
    version     integer     NOT NULL CHECK (version > 0),
    changed_xid bigint      NOT NULL,
    code        text        NOT NULL,
    title       text        NOT NULL,
    category    text        NOT NULL,
    body        text        NOT NULL,
    language    text        NOT NULL CHECK (language IN ('zh-Hans', 'zh-Hant', 'en')),
    estate_id   uuid,                                    -- NULL = good for all estates
    valid_from  date,
    written_at  timestamptz NOT NULL,                    -- of the first version
    changed_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, article_id),
    CONSTRAINT article_code_key UNIQUE (tenant_id, code)
);
CREATE INDEX article_recent ON article (tenant_id, written_at DESC, article_id DESC);
CREATE INDEX article_feed ON article (tenant_id, changed_xid, article_id);
ALTER TABLE article ENABLE ROW LEVEL SECURITY;
ALTER TABLE article FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON article
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Read model of desk checks.
CREATE TABLE desk_check (
    tenant_id   uuid        NOT NULL,
    check_id    uuid        NOT NULL,
    version     integer     NOT NULL CHECK (version > 0),
    changed_xid bigint      NOT NULL,
    estate_id   uuid        NOT NULL,
    on_day      date        NOT NULL,
    ready       boolean     NOT NULL,                    -- every item is in order
    items       jsonb       NOT NULL,                    -- [{item, ok, note?}]
    checked_by  text        NOT NULL,                    -- subject of the token
    checked_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, check_id)
);
CREATE INDEX desk_check_recent ON desk_check (tenant_id, checked_at DESC, check_id DESC);
CREATE INDEX desk_check_estate ON desk_check (tenant_id, estate_id, checked_at DESC, check_id DESC);
CREATE INDEX desk_check_feed ON desk_check (tenant_id, changed_xid, check_id);
ALTER TABLE desk_check ENABLE ROW LEVEL SECURITY;
ALTER TABLE desk_check FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON desk_check
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Read model of files: what they are, without their content.
CREATE TABLE file (
    tenant_id    uuid        NOT NULL,
    file_id      uuid        NOT NULL,
    version      integer     NOT NULL CHECK (version > 0),
    content_type text        NOT NULL,
    size_bytes   bigint      NOT NULL CHECK (size_bytes > 0),
    sha256       text        NOT NULL,                   -- 64 hexadecimal digits
    resident_id  uuid,                                   -- the owner who stored it; NULL = staff did
    estate_ids   uuid[],                                 -- whose staff may see it; NULL = all
    stored_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, file_id)
);
ALTER TABLE file ENABLE ROW LEVEL SECURITY;
ALTER TABLE file FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON file
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Their content: pictures and PDF are compressed already, so Postgres need not try.
CREATE TABLE file_content (
    tenant_id uuid  NOT NULL,
    file_id   uuid  NOT NULL,
    content   bytea NOT NULL,
    PRIMARY KEY (tenant_id, file_id)
);
ALTER TABLE file_content ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE file_content ENABLE ROW LEVEL SECURITY;
ALTER TABLE file_content FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON file_content
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- The service's role adds to the record of readings and reads it, no more.
DO $$
BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE ON personal_data_access FROM %I', 'steward_' || current_schema());
END
$$;
