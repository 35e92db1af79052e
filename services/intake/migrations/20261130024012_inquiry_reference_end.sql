-- no-transaction
-- GET /v1/inquiries?reference=.
-- Built while the old version writes; one statement, so that nothing is left half done but an index that is made again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS inquiry_reference_end ON inquiry (tenant_id, reference_end);
