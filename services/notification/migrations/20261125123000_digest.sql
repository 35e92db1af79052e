-- Alerts for the company's people, and the digests in which they are told. Thousands of alerts may come in one minute for
-- one person: each is a row, never an event, and joins the digest of that person that still collects. Digests are written
-- by the engine together with their events. Safe while an old version runs: creates only.

-- One row for each digest; read by store/digests.rs.
CREATE TABLE digest (
    tenant_id   uuid        NOT NULL,
    digest_id   uuid        NOT NULL,
    version     integer     NOT NULL CHECK (version > 0),  -- of the aggregate
    account     text        NOT NULL,                      -- who is told: subject of the token
    status      text        NOT NULL,                      -- collecting, delivered, read, settled
    urgent      boolean     NOT NULL,                      -- a line of P1 or P2 has come
    sent_at     timestamptz,                               -- NULL: still collecting, nobody sees it
    state       jsonb       NOT NULL,                      -- the digest as the domain has it
    changed_xid bigint      NOT NULL,                      -- transaction that changed it last
    PRIMARY KEY (tenant_id, digest_id)
);
-- At most one digest collects for a person: whoever opens a second one begins again and joins the first.
CREATE UNIQUE INDEX digest_collecting ON digest (tenant_id, account) WHERE status = 'collecting';
-- A person's inbox, newest first, and what is unread of it.
CREATE INDEX digest_inbox ON digest (tenant_id, account, sent_at DESC, digest_id DESC) WHERE sent_at IS NOT NULL;
CREATE INDEX digest_unread ON digest (tenant_id, account, sent_at DESC, digest_id DESC) WHERE status = 'delivered';
-- The change feed.
CREATE INDEX digest_feed ON digest (tenant_id, account, changed_xid, digest_id) WHERE sent_at IS NOT NULL;
ALTER TABLE digest ENABLE ROW LEVEL SECURITY;
ALTER TABLE digest FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON digest
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

-- One row for each alert, a line of a digest; read and written by store/alerts.rs.
CREATE TABLE alert (
    tenant_id     uuid        NOT NULL,
    alert_id      uuid        NOT NULL,                    -- UUIDv5 of the public event and the account
    account       text        NOT NULL,
    digest_id     uuid        NOT NULL,                    -- its digest, from the first moment on
    case_id       uuid        NOT NULL,
    cause         text        NOT NULL,
    priority      text,                                    -- NULL: not told
    rank          smallint    NOT NULL,                    -- place in the digest, before the due time
    due_at        timestamptz,                             -- NULL: nothing is due
    escalation_id uuid,                                    -- NULL: no escalation
    clock_id      uuid,                                    -- NULL: no clock
    matter        jsonb       NOT NULL,                    -- what it is about, as the domain has it
    created_at    timestamptz NOT NULL,
    settled_at    timestamptz,                             -- NULL: it waits for somebody
    changed_xid   bigint      NOT NULL,
    PRIMARY KEY (tenant_id, alert_id)
);
-- A person's lines, newest first; what waits of them; those with one cause.
CREATE INDEX alert_recent  ON alert (tenant_id, account, created_at DESC, alert_id DESC);
CREATE INDEX alert_waiting ON alert (tenant_id, account, created_at DESC, alert_id DESC) WHERE settled_at IS NULL;
CREATE INDEX alert_cause   ON alert (tenant_id, account, cause, created_at DESC, alert_id DESC);
-- The lines of a digest, and whether one of them waits.
CREATE INDEX alert_digest  ON alert (tenant_id, digest_id, created_at DESC, alert_id DESC);
CREATE INDEX alert_open    ON alert (tenant_id, digest_id) WHERE settled_at IS NULL;
-- The lines about a case: to settle them, and for lists.
CREATE INDEX alert_case    ON alert (tenant_id, case_id);
-- The change feed.
CREATE INDEX alert_feed    ON alert (tenant_id, account, changed_xid, alert_id);
ALTER TABLE alert ENABLE ROW LEVEL SECURITY;
ALTER TABLE alert FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON alert
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));
