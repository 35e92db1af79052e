-- What lists are searched by, in columns of their own: under row security an index serves comparisons of columns, not of what functions make
-- of them. Kept by triggers, so that what the version before writes has them, too; what is there already gets them in the next migration.
-- Safe while an old version runs: columns that it does not know.

ALTER TABLE intake_case
    ADD COLUMN reference_end text COLLATE "C";  -- the reference from its end on, without hyphens (kernel/reference.rs, `search_key`)

CREATE FUNCTION note_what_intake_case_is_found_by() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.reference_end := reverse(replace(NEW.reference, '-', ''));
    RETURN NEW;
END
$$;
CREATE TRIGGER found_by BEFORE INSERT OR UPDATE OF reference ON intake_case
    FOR EACH ROW EXECUTE FUNCTION note_what_intake_case_is_found_by();
ALTER TABLE intake_case NO FORCE ROW LEVEL SECURITY;

ALTER TABLE inquiry
    ADD COLUMN reference_end text COLLATE "C";  -- as that of intake_case

CREATE FUNCTION note_what_inquiry_is_found_by() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.reference_end := reverse(replace(NEW.reference, '-', ''));
    RETURN NEW;
END
$$;
CREATE TRIGGER found_by BEFORE INSERT OR UPDATE OF reference ON inquiry
    FOR EACH ROW EXECUTE FUNCTION note_what_inquiry_is_found_by();
ALTER TABLE inquiry NO FORCE ROW LEVEL SECURITY;

ALTER TABLE resident
    ADD COLUMN name_start text COLLATE "C";  -- the name in half width and small letters, without spaces (domain/finding.rs)

CREATE FUNCTION note_what_resident_is_found_by() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.name_start := lower(replace(normalize(NEW.name, NFKC), ' ', ''));
    RETURN NEW;
END
$$;
CREATE TRIGGER found_by BEFORE INSERT OR UPDATE OF name ON resident
    FOR EACH ROW EXECUTE FUNCTION note_what_resident_is_found_by();

-- Each number of a resident, as it is looked for: personal data, which go with the number. GET /v1/residents?phone=.
CREATE TABLE resident_phone (
    tenant_id   uuid             NOT NULL,
    phone_end   text COLLATE "C" NOT NULL,   -- its digits from the last one on, without extension and leading zeros (domain/finding.rs)
    resident_id uuid             NOT NULL,
    PRIMARY KEY (tenant_id, phone_end, resident_id)
);
CREATE INDEX resident_phone_resident ON resident_phone (tenant_id, resident_id);
ALTER TABLE resident_phone ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON resident_phone
    USING      (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('steward.tenant', true), '')::uuid));

CREATE FUNCTION note_phones_of_resident() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM resident_phone WHERE tenant_id = NEW.tenant_id AND resident_id = NEW.resident_id;
    INSERT INTO resident_phone (tenant_id, phone_end, resident_id)
    SELECT DISTINCT NEW.tenant_id, reverse(ltrim(regexp_replace(split_part(number, ';', 1), '\D', '', 'g'), '0')), NEW.resident_id
    FROM unnest(array_append(NEW.other_phones, NEW.phone)) AS number WHERE number ~ '[1-9]';
    RETURN NULL;
END
$$;
CREATE TRIGGER found_by_phone AFTER INSERT OR UPDATE OF phone, other_phones ON resident
    FOR EACH ROW EXECUTE FUNCTION note_phones_of_resident();
ALTER TABLE resident NO FORCE ROW LEVEL SECURITY;
