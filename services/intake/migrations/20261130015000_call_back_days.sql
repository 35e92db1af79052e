-- On how many days of the estate calls reached nobody (store/inquiry.rs). The version before this one leaves it out.
ALTER TABLE inquiry ADD COLUMN missed_days integer NOT NULL DEFAULT 0 CHECK (missed_days >= 0);
