-- People leave the company: what they answer for goes to others. Safe while an old version runs: a column with a default.

ALTER TABLE staff ADD COLUMN has_left boolean NOT NULL DEFAULT false;
