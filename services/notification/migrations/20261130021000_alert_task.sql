-- Alerts of tasks, which are withdrawn by the id of the task, and alerts of notices, which have no case. Safe while an old
-- version runs: it writes and reads no such alerts, and knows no task.
ALTER TABLE alert ADD COLUMN task_id uuid;                 -- NULL: none; a task or promise of intake, or the notice
ALTER TABLE alert ALTER COLUMN case_id DROP NOT NULL;      -- NULL: it is about a notice
CREATE INDEX alert_task ON alert (tenant_id, task_id) WHERE task_id IS NOT NULL;

-- The company's people, as far as notices need them: who may be a second person. Written from intake's `staff-registered`.
CREATE TABLE staff (
    tenant_id  uuid   NOT NULL,
    staff_id   uuid   NOT NULL,
    account    text   NOT NULL,                            -- subject of their tokens, '' = none
    role       text   NOT NULL,
    estate_ids uuid[],                                     -- NULL: all
    PRIMARY KEY (tenant_id, staff_id)
);
ALTER TABLE staff ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON staff
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));
