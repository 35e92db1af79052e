-- no-transaction
-- GET /v1/suggestions?reference=.
-- Built while the old version writes; one statement, so that nothing is left half done but an index that is made again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS suggestion_reference_end ON suggestion (tenant_id, reference_end);
