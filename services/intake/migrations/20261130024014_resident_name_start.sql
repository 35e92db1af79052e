-- no-transaction
-- GET /v1/residents?name=.
-- Built while the old version writes; one statement, so that nothing is left half done but an index that is made again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS resident_name_start ON resident (tenant_id, name_start);
