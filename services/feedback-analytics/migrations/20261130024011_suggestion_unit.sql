-- no-transaction
-- GET /v1/suggestions?unit_id=.
-- Built while the old version writes; one statement, so that nothing is left half done but an index that is made again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS suggestion_unit ON suggestion (tenant_id, unit_id, received_at DESC, case_id DESC)
    WHERE unit_id IS NOT NULL;
