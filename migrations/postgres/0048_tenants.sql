-- Which tenant a domain is of: an owner's word, empty for the house itself. Nothing is shared across tenants.

ALTER TABLE domain ADD COLUMN tenant TEXT NOT NULL DEFAULT '';

-- Until now nobody has said it. Domains that are served by the same domain admins are taken for one tenant's, and called by the first of their names.
UPDATE domain SET tenant = (
    SELECT MIN(o.name) FROM domain o
    WHERE NOT EXISTS (
        SELECT 1 FROM account_domain s JOIN account a ON a.account_key = s.account_key
        WHERE a.role = 2 AND a.removed_at IS NULL AND s.domain_key = domain.domain_key AND NOT EXISTS (
            SELECT 1 FROM account_domain x WHERE x.account_key = s.account_key AND x.domain_key = o.domain_key))
      AND NOT EXISTS (
        SELECT 1 FROM account_domain s JOIN account a ON a.account_key = s.account_key
        WHERE a.role = 2 AND a.removed_at IS NULL AND s.domain_key = o.domain_key AND NOT EXISTS (
            SELECT 1 FROM account_domain x WHERE x.account_key = s.account_key AND x.domain_key = domain.domain_key)))
WHERE EXISTS (
    SELECT 1 FROM account_domain s JOIN account a ON a.account_key = s.account_key
    WHERE a.role = 2 AND a.removed_at IS NULL AND s.domain_key = domain.domain_key);
