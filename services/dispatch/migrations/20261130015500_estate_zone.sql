-- In which time zone an estate lies: the day in the reference of a work order is the one there. What was heard before is taken for Chinese
-- until intake says more. Safe while an old version runs: it does not write the column.
ALTER TABLE estate ADD COLUMN time_zone text NOT NULL DEFAULT 'Asia/Shanghai';
