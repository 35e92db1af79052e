-- What an owner wishes, and from where trouble comes. Safe while an old version runs: it writes neither.
ALTER TABLE intake_case
    ADD COLUMN source_unit_id uuid,
    ADD COLUMN urgent         boolean NOT NULL DEFAULT false;
