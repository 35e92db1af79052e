-- Who stored a file: proof of work is by whoever did the work. '' = intake has not told. Safe while an old version runs: it does not write the column.
ALTER TABLE stored_file ADD COLUMN account text NOT NULL DEFAULT '';
