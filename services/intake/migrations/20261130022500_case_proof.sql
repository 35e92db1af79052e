-- What proves to the owner of a case that its work is done. Safe while an old version runs: it does not write the column.
ALTER TABLE intake_case ADD COLUMN proof_file_ids uuid[] NOT NULL DEFAULT '{}';
