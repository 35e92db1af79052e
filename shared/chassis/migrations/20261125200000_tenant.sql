-- Companies by name, and which of them are closed. The identity provider says which companies there are: one that does not stand here
-- is served all the same, one that is closed here is not. Not rows of a tenant: no row security.
-- Safe while an old version runs: creates only.
CREATE TABLE tenant (
    tenant_id  uuid        NOT NULL PRIMARY KEY,
    name       text        NOT NULL,   -- '' = nobody has told it
    created_at timestamptz NOT NULL,
    closed_at  timestamptz             -- for ever: the row stays when everything else of the company is deleted
);

-- The operator's command writes it, as the owner; the platform's loops read which are closed; the service needs nothing of it.
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON tenant FROM %I', 'steward_' || current_schema());
    EXECUTE format('GRANT SELECT ON tenant TO %I', 'steward_' || current_schema() || '_platform');
END
$$;
