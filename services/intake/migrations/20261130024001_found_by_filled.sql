-- What lists are searched by (the migration before), for the rows that are there. The owner sees them for this once; locks rows, no table.
-- Safe while an old version runs: changes only columns that it does not know.
UPDATE intake_case SET reference = reference WHERE reference_end IS NULL;
UPDATE inquiry SET reference = reference WHERE reference_end IS NULL;
UPDATE resident SET name = name, phone = phone WHERE name_start IS NULL;
