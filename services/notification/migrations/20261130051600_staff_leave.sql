-- People leave the company: they are told of no notice any more. Safe while an old version runs: a column with a default.

ALTER TABLE staff ADD COLUMN has_left boolean NOT NULL DEFAULT false;
