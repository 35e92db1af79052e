-- no-transaction
-- GET /v1/service-requests?reference=.
-- Built while the old version writes; one statement, so that nothing is left half done but an index that is made again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS service_request_reference_end ON service_request (tenant_id, reference_end);
