-- no-transaction
-- GET /v1/complaints?reference=.
-- Built while the old version writes; one statement, so that nothing is left half done but an index that is made again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS complaint_reference_end ON complaint (tenant_id, reference_end);
