-- no-transaction
-- GET /v1/complaints?unit_id=.
-- Built while the old version writes; one statement, so that nothing is left half done but an index that is made again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS complaint_unit ON complaint (tenant_id, unit_id, opened_at DESC, case_id DESC)
    WHERE unit_id IS NOT NULL;
