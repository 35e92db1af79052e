-- Whether the register says a resident's language, or it is only the usual one that stands there. Safe while an old version
-- runs: it writes the language alone, and another one than the usual counts as said.
ALTER TABLE resident ADD COLUMN language_said boolean NOT NULL DEFAULT false;
