-- Texts of the handbook that are good later. `article` goes on to have what is good now; an article of which nothing is yet is not in force, and
-- its row has what will be first. Safe while an old version runs: it writes neither column, and knows no text that is good later.
ALTER TABLE article
    ADD COLUMN in_force boolean NOT NULL DEFAULT true,
    ADD COLUMN planned  jsonb   NOT NULL DEFAULT '[]';   -- in the order in which they will be good: [{content, takes_effect_at}]
