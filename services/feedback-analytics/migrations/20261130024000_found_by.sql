-- What lists are searched by, in columns of their own: under row security an index serves comparisons of columns, not of what functions make
-- of them. Kept by triggers, so that what the version before writes has them, too; what is there already gets them in the next migration.
-- Safe while an old version runs: columns that it does not know.

ALTER TABLE suggestion
    ADD COLUMN reference_end text COLLATE "C",  -- the reference from its end on, without hyphens (kernel/reference.rs, `search_key`)
    ADD COLUMN unit_id uuid;

CREATE FUNCTION note_what_suggestion_is_found_by() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.reference_end := reverse(replace(NEW.state -> 'received' ->> 'reference', '-', ''));
    NEW.unit_id := (NEW.state -> 'received' ->> 'unit_id')::uuid;
    RETURN NEW;
END
$$;
CREATE TRIGGER found_by BEFORE INSERT OR UPDATE OF state ON suggestion
    FOR EACH ROW EXECUTE FUNCTION note_what_suggestion_is_found_by();
ALTER TABLE suggestion NO FORCE ROW LEVEL SECURITY;
