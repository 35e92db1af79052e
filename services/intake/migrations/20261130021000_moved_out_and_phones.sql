-- Ties to units end; residents may have several telephone numbers, all in one form (E.164).
-- Safe while an old version runs: columns with a default or NULL; it reads numbers of any form.

ALTER TABLE resident_unit ADD COLUMN until_on date;          -- the last day on which it holds; NULL = nobody knows

ALTER TABLE resident ADD COLUMN other_phones text[] NOT NULL DEFAULT '{}';

-- Numbers that were stored as they were written. The owner of the table is subject to row security, too, as long as that is forced: for this
-- statement it is not, and nobody else can see the table meanwhile.
ALTER TABLE resident NO FORCE ROW LEVEL SECURITY;
ALTER TABLE resident_unit NO FORCE ROW LEVEL SECURITY;
ALTER TABLE estate NO FORCE ROW LEVEL SECURITY;

WITH zone AS (
    SELECT DISTINCT ON (t.tenant_id, t.resident_id) t.tenant_id, t.resident_id, e.time_zone
    FROM resident_unit t JOIN estate e USING (tenant_id, estate_id)
    ORDER BY t.tenant_id, t.resident_id, e.time_zone
), read AS (
    SELECT r.tenant_id, r.resident_id,
           CASE WHEN r.phone ~ '^(\+|00)?86[1][3-9][0-9]{9}$'
                     THEN '+86' || right(r.phone, 11)
                WHEN r.phone ~ '^1[3-9][0-9]{9}$' THEN '+86' || r.phone
                WHEN z.time_zone = 'Asia/Shanghai' AND r.phone ~ '^0[1-9][0-9]{8,10}$' THEN '+86' || substr(r.phone, 2)
                WHEN z.time_zone = 'Asia/Hong_Kong' AND r.phone ~ '^[2-9][0-9]{7}$' THEN '+852' || r.phone
                WHEN z.time_zone = 'Asia/Macau' AND r.phone ~ '^(28|6)[0-9]{6,7}$' AND length(r.phone) = 8 THEN '+853' || r.phone
                WHEN z.time_zone = 'Asia/Taipei' AND r.phone ~ '^0[1-9][0-9]{7,8}$' THEN '+886' || substr(r.phone, 2)
           END AS phone
    FROM resident r LEFT JOIN zone z USING (tenant_id, resident_id)
)
UPDATE resident r
SET phone = read.phone, version = r.version + 1, changed_xid = pg_current_xact_id()::text::bigint
FROM read
WHERE r.tenant_id = read.tenant_id AND r.resident_id = read.resident_id AND read.phone IS NOT NULL AND read.phone <> r.phone;

ALTER TABLE resident FORCE ROW LEVEL SECURITY;
ALTER TABLE resident_unit FORCE ROW LEVEL SECURITY;
ALTER TABLE estate FORCE ROW LEVEL SECURITY;
