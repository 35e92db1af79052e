-- no-transaction
-- GET /v1/work-orders?unit_id=.
-- Built while the old version writes; one statement, so that nothing is left half done but an index that is made again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS work_order_unit ON work_order (tenant_id, unit_id, opened_at DESC, work_order_id DESC)
    WHERE unit_id IS NOT NULL;
