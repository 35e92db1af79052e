-- no-transaction
-- Work orders whose proof has not arrived in time: few, and looked for with every file that arrives.
-- Built while the old version writes; one statement, so that nothing is left half done but an index that is made again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS work_order_proof_missed ON work_order (tenant_id) WHERE state ? 'proof_missed';
