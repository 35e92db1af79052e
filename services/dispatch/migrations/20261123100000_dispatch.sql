-- Read models of service requests and work orders, the roster (departments, technicians, shifts), and what dispatch knows of
-- intake's estates and files. Safe while an old version runs: creates only.

-- One row per service request, for lists. Written by the engine's projection only.
CREATE TABLE service_request (
    tenant_id   uuid        NOT NULL,
    case_id     uuid        NOT NULL,
    version     integer     NOT NULL CHECK (version > 0),  -- of the aggregate
    stage       text        NOT NULL,
    priority    text        NOT NULL,
    category    text        NOT NULL,
    estate_id   uuid        NOT NULL,
    resident_id uuid,
    received_at timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL,
    changed_xid bigint      NOT NULL,                      -- transaction of the last change, for the change feed
    state       jsonb       NOT NULL,                      -- the aggregate: what lists show beside what they filter by
    PRIMARY KEY (tenant_id, case_id)
);
-- GET /v1/service-requests: newest first, of the company, of an estate, of an owner, in a stage; the change feed.
CREATE INDEX service_request_recent ON service_request (tenant_id, received_at DESC, case_id DESC);
CREATE INDEX service_request_estate ON service_request (tenant_id, estate_id, received_at DESC, case_id DESC);
CREATE INDEX service_request_resident ON service_request (tenant_id, resident_id, received_at DESC, case_id DESC);
-- Few are not over; most that are lie at the top of service_request_recent.
CREATE INDEX service_request_open ON service_request (tenant_id, stage, estate_id, received_at DESC, case_id DESC)
    WHERE stage NOT IN ('closed', 'declined', 'cancelled');
CREATE INDEX service_request_changed ON service_request (tenant_id, changed_xid, case_id);
ALTER TABLE service_request ENABLE ROW LEVEL SECURITY;
ALTER TABLE service_request FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON service_request
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- One row per work order, for lists, loads and the cases of remedies. Written by the engine's projection only.
CREATE TABLE work_order (
    tenant_id     uuid        NOT NULL,
    work_order_id uuid        NOT NULL,
    version       integer     NOT NULL CHECK (version > 0),  -- of the aggregate
    reference     text        NOT NULL,                      -- what people quote: W-261123-7K3QD4
    status        text        NOT NULL,
    case_id       uuid        NOT NULL,
    remedy_id     uuid,                                      -- of a complaint; NULL = for a service request
    department    text        NOT NULL,
    priority      text        NOT NULL,
    estate_id     uuid        NOT NULL,
    technician_id uuid,
    opened_at     timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL,
    changed_xid   bigint      NOT NULL,
    state         jsonb       NOT NULL,
    PRIMARY KEY (tenant_id, work_order_id),
    CONSTRAINT work_order_reference_key UNIQUE (tenant_id, reference)
);
-- GET /v1/work-orders: newest first, of the company, an estate, a case, a technician, in a status; the change feed.
CREATE INDEX work_order_recent ON work_order (tenant_id, opened_at DESC, work_order_id DESC);
CREATE INDEX work_order_estate ON work_order (tenant_id, estate_id, opened_at DESC, work_order_id DESC);
CREATE INDEX work_order_case ON work_order (tenant_id, case_id, opened_at DESC, work_order_id DESC);
CREATE INDEX work_order_technician ON work_order (tenant_id, technician_id, opened_at DESC, work_order_id DESC);
CREATE INDEX work_order_open ON work_order (tenant_id, status, estate_id, opened_at DESC, work_order_id DESC)
    WHERE status NOT IN ('verified', 'cancelled');
CREATE INDEX work_order_changed ON work_order (tenant_id, changed_xid, work_order_id);
-- A technician's load: the statement says the same condition (store/roster.rs).
CREATE INDEX work_order_load ON work_order (tenant_id, technician_id, status)
    WHERE status NOT IN ('verified', 'cancelled');
ALTER TABLE work_order ENABLE ROW LEVEL SECURITY;
ALTER TABLE work_order FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON work_order
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Estates, as intake has registered them: register files refer to them by code.
CREATE TABLE estate (
    tenant_id     uuid        NOT NULL,
    estate_id     uuid        NOT NULL,
    code          text        NOT NULL,
    name          text        NOT NULL,
    registered_at timestamptz NOT NULL,  -- the newest word of intake stands
    PRIMARY KEY (tenant_id, estate_id)
);
ALTER TABLE estate ENABLE ROW LEVEL SECURITY;
ALTER TABLE estate FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON estate
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Files that intake has stored: proof of work is there when its file is.
CREATE TABLE stored_file (
    tenant_id uuid NOT NULL,
    file_id   uuid NOT NULL,
    PRIMARY KEY (tenant_id, file_id)
);
ALTER TABLE stored_file ENABLE ROW LEVEL SECURITY;
ALTER TABLE stored_file FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON stored_file
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Departments of the company, from register files.
CREATE TABLE department (
    tenant_id     uuid        NOT NULL,
    department_id uuid        NOT NULL,
    code          text        NOT NULL,
    name          text        NOT NULL,
    estate_ids    uuid[],                 -- NULL = all of the company, also those that come later
    version       integer     NOT NULL,
    created_at    timestamptz NOT NULL,
    changed_xid   bigint      NOT NULL,
    PRIMARY KEY (tenant_id, department_id),
    CONSTRAINT department_code_key UNIQUE (tenant_id, code)
);
CREATE INDEX department_recent ON department (tenant_id, created_at DESC, department_id DESC);
CREATE INDEX department_changed ON department (tenant_id, changed_xid, department_id);
ALTER TABLE department ENABLE ROW LEVEL SECURITY;
ALTER TABLE department FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON department
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Technicians of the company, from register files.
CREATE TABLE technician (
    tenant_id     uuid        NOT NULL,
    technician_id uuid        NOT NULL,
    code          text        NOT NULL,
    name          text        NOT NULL,
    account       text        NOT NULL,   -- subject of their access token
    department    text        NOT NULL,   -- code
    skills        text[]      NOT NULL,
    estate_ids    uuid[],                 -- NULL = all of the company, also those that come later
    version       integer     NOT NULL,
    created_at    timestamptz NOT NULL,
    changed_xid   bigint      NOT NULL,
    PRIMARY KEY (tenant_id, technician_id),
    CONSTRAINT technician_code_key UNIQUE (tenant_id, code)
);
CREATE INDEX technician_recent ON technician (tenant_id, created_at DESC, technician_id DESC);
CREATE INDEX technician_account ON technician (tenant_id, account);
CREATE INDEX technician_changed ON technician (tenant_id, changed_xid, technician_id);
ALTER TABLE technician ENABLE ROW LEVEL SECURITY;
ALTER TABLE technician FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON technician
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- Shifts of technicians, from register files.
CREATE TABLE shift (
    tenant_id     uuid        NOT NULL,
    shift_id      uuid        NOT NULL,
    technician_id uuid        NOT NULL,
    starts_on     date        NOT NULL,   -- in Chinese time
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL CHECK (ends_at > starts_at),
    called_off    boolean     NOT NULL,   -- a later file took it back
    version       integer     NOT NULL,
    changed_xid   bigint      NOT NULL,
    PRIMARY KEY (tenant_id, shift_id),
    CONSTRAINT shift_start_key UNIQUE (tenant_id, technician_id, starts_at)
);
CREATE INDEX shift_recent ON shift (tenant_id, starts_at DESC, shift_id DESC);
-- The shifts of a day, of some days of somebody.
CREATE INDEX shift_day ON shift (tenant_id, starts_on, technician_id);
CREATE INDEX shift_changed ON shift (tenant_id, changed_xid, shift_id);
ALTER TABLE shift ENABLE ROW LEVEL SECURITY;
ALTER TABLE shift FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON shift
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));
