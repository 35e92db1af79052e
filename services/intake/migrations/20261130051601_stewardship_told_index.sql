-- no-transaction
-- Cases in which somebody has something to do.
-- Built while the old version writes; one statement, so that nothing is left half done but an index that is made again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS stewardship_told ON stewardship (tenant_id) WHERE told <> '{}';
