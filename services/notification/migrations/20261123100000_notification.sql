-- Read model of notification: messages and notices for lists, and the estates that notices can be for.
-- Messages and notices are written by the engine together with their events; estates come from intake's
-- `estate-registered`. Safe while an old version runs: creates only.

-- One row for each message; read by store/messages.rs.
CREATE TABLE message (
    tenant_id   uuid        NOT NULL,
    message_id  uuid        NOT NULL,
    version     integer     NOT NULL CHECK (version > 0),  -- of the aggregate
    case_id     uuid        NOT NULL,
    estate_id   uuid        NOT NULL,
    resident_id uuid,                                      -- NULL: nobody knows whose matter it is
    status      text        NOT NULL,                      -- in the app inbox: suppressed, delivered, read
    created_at  timestamptz NOT NULL,
    state       jsonb       NOT NULL,                      -- the message as the domain has it
    changed_xid bigint      NOT NULL,                      -- transaction that changed it last
    PRIMARY KEY (tenant_id, message_id)
);
-- An owner's inbox, and the messages of one resident: newest first.
CREATE INDEX message_inbox ON message (tenant_id, resident_id, created_at DESC, message_id DESC);
-- Everything, for staff of all estates.
CREATE INDEX message_recent ON message (tenant_id, created_at DESC, message_id DESC);
-- For staff of some estates.
CREATE INDEX message_estate ON message (tenant_id, estate_id, created_at DESC, message_id DESC);
-- Messages of a case.
CREATE INDEX message_case ON message (tenant_id, case_id);
-- What did not arrive: little; what did lies at the top of message_recent.
CREATE INDEX message_undelivered ON message (tenant_id, status, created_at DESC, message_id DESC)
    WHERE status NOT IN ('delivered', 'read');
-- The change feed.
CREATE INDEX message_feed ON message (tenant_id, changed_xid, message_id);
ALTER TABLE message ENABLE ROW LEVEL SECURITY;
ALTER TABLE message FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON message
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- One row for each notice; read by store/notices.rs.
CREATE TABLE notice (
    tenant_id    uuid        NOT NULL,
    notice_id    uuid        NOT NULL,
    version      integer     NOT NULL CHECK (version > 0),
    estate_ids   uuid[]      NOT NULL CHECK (cardinality(estate_ids) > 0),
    status       text        NOT NULL,                     -- draft, in_review, approved, sent, recalled, expired
    expires_at   timestamptz,                              -- NULL: never
    published_at timestamptz,                              -- NULL: households have never seen it
    created_at   timestamptz NOT NULL,
    state        jsonb       NOT NULL,                     -- the notice as the domain has it
    changed_xid  bigint      NOT NULL,
    PRIMARY KEY (tenant_id, notice_id)
);
CREATE INDEX notice_recent ON notice (tenant_id, created_at DESC, notice_id DESC);
-- What stands on the boards, what waits for a review.
CREATE INDEX notice_status ON notice (tenant_id, status, created_at DESC, notice_id DESC);
CREATE INDEX notice_feed ON notice (tenant_id, changed_xid, notice_id);
ALTER TABLE notice ENABLE ROW LEVEL SECURITY;
ALTER TABLE notice FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON notice
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- The estates of the register, so that no notice is for one that does not exist.
CREATE TABLE estate (
    tenant_id   uuid   NOT NULL,
    estate_id   uuid   NOT NULL,
    code        text   NOT NULL,                           -- in the company's register
    PRIMARY KEY (tenant_id, estate_id)
);
ALTER TABLE estate ENABLE ROW LEVEL SECURITY;
ALTER TABLE estate FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON estate
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));
