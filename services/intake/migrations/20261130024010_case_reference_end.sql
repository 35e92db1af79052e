-- no-transaction
-- GET /v1/cases?reference=. intake_case_reference is needed by the version before.
-- Built while the old version writes; one statement, so that nothing is left half done but an index that is made again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS intake_case_reference_end ON intake_case (tenant_id, reference_end);
