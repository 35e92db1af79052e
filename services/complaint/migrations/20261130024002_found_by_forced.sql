-- Row security holds for the owner again.
-- Safe while an old version runs: it does not work as the owner.
ALTER TABLE complaint FORCE ROW LEVEL SECURITY;
