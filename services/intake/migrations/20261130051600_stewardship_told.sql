-- Who was told that something is to be done in a case and has not seen the end of it: when they leave, somebody else is told. Safe while an old
-- version runs: a column with a default, which it leaves alone.

ALTER TABLE stewardship ADD COLUMN told text[] NOT NULL DEFAULT '{}';
