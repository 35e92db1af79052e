-- Row security holds for the owner again.
-- Safe while an old version runs: it does not work as the owner.
ALTER TABLE service_request FORCE ROW LEVEL SECURITY;
ALTER TABLE work_order FORCE ROW LEVEL SECURITY;
