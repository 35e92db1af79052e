-- no-transaction
-- GET /v1/cases?unit_id=.
-- Built while the old version writes; one statement, so that nothing is left half done but an index that is made again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS intake_case_unit ON intake_case (tenant_id, unit_id, opened_at DESC, case_id DESC)
    WHERE unit_id IS NOT NULL;
