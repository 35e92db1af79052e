-- What lists are searched by, in columns of their own: under row security an index serves comparisons of columns, not of what functions make
-- of them. Kept by triggers, so that what the version before writes has them, too; what is there already gets them in the next migration.
-- Safe while an old version runs: columns that it does not know.

ALTER TABLE service_request
    ADD COLUMN reference_end text COLLATE "C",  -- the reference from its end on, without hyphens (kernel/reference.rs, `search_key`)
    ADD COLUMN unit_id uuid;

CREATE FUNCTION note_what_service_request_is_found_by() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.reference_end := reverse(replace(NEW.state -> 'origin' ->> 'reference', '-', ''));
    NEW.unit_id := (NEW.state -> 'origin' ->> 'unit_id')::uuid;
    RETURN NEW;
END
$$;
CREATE TRIGGER found_by BEFORE INSERT OR UPDATE OF state ON service_request
    FOR EACH ROW EXECUTE FUNCTION note_what_service_request_is_found_by();
ALTER TABLE service_request NO FORCE ROW LEVEL SECURITY;

ALTER TABLE work_order
    ADD COLUMN reference_end text COLLATE "C",  -- as that of service_request
    ADD COLUMN unit_id uuid;

CREATE FUNCTION note_what_work_order_is_found_by() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.reference_end := reverse(replace(NEW.reference, '-', ''));
    NEW.unit_id := (NEW.state -> 'job' ->> 'unit_id')::uuid;
    RETURN NEW;
END
$$;
CREATE TRIGGER found_by BEFORE INSERT OR UPDATE OF state ON work_order
    FOR EACH ROW EXECUTE FUNCTION note_what_work_order_is_found_by();
ALTER TABLE work_order NO FORCE ROW LEVEL SECURITY;
