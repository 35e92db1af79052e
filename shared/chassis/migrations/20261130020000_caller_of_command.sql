-- Whom the caller of a command acted for: another one with the same key does not get the first one's answer.
-- Safe while an old version runs: it writes no caller and reads none; a claim without one is of an old version and goes within 72 h.
ALTER TABLE command_log ADD COLUMN caller bytea;  -- digest; NULL = claimed by a version that did not know it
