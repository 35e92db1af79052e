-- What lists are searched by (the migration before), for the rows that are there. The owner sees them for this once; locks rows, no table.
-- Safe while an old version runs: changes only columns that it does not know.
UPDATE service_request SET state = state WHERE reference_end IS NULL;
UPDATE work_order SET state = state WHERE reference_end IS NULL;
