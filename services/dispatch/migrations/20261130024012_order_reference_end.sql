-- no-transaction
-- GET /v1/work-orders?reference=.
-- Built while the old version writes; one statement, so that nothing is left half done but an index that is made again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS work_order_reference_end ON work_order (tenant_id, reference_end);
