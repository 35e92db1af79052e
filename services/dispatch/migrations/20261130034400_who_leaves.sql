-- Technicians leave, departments are closed: what they have comes back. Safe while an old version runs: columns with defaults.

ALTER TABLE technician ADD COLUMN has_left boolean NOT NULL DEFAULT false;
ALTER TABLE department ADD COLUMN closed boolean NOT NULL DEFAULT false;
