-- Addresses that others than their account may write from: as it, or on its behalf.

CREATE TABLE lent_address (
    account_key BIGINT NOT NULL,               -- whose address
    kind BIGINT NOT NULL,                      -- 0: anyone of the house, 1: a domain's people, 2: an account
    who BIGINT NOT NULL,                       -- 0, domain_key or account_key
    how BIGINT NOT NULL,                       -- 1: on behalf of it, with a Sender of one's own; 2: as it
    PRIMARY KEY (account_key, kind, who)
) WITHOUT ROWID;

CREATE INDEX lent_address_who ON lent_address (kind, who);
