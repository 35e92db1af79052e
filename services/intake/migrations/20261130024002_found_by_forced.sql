-- Row security holds for the owner again.
-- Safe while an old version runs: it does not work as the owner.
ALTER TABLE intake_case FORCE ROW LEVEL SECURITY;
ALTER TABLE inquiry FORCE ROW LEVEL SECURITY;
ALTER TABLE resident FORCE ROW LEVEL SECURITY;
ALTER TABLE resident_phone FORCE ROW LEVEL SECURITY;
