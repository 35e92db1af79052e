-- The head of a history at the version that was heard last (chains.rs): a listener can prove what its source's log said.
-- Safe while an old version runs: it leaves the new column alone, and the column is of heard_version, whatever the old version hears.
ALTER TABLE inbox ADD COLUMN heard_chain bytea; -- hash of the event of heard_version; of sources of before none
