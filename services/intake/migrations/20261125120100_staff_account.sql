-- no-transaction
-- People of the register by their account: who is appointed, who is away, who covers (store/rulebook.rs, store/staff.rs).
-- Built while the old version writes; one statement, so that nothing is left half done but an index that is made again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS staff_account ON staff (tenant_id, account);
