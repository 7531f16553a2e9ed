-- Who lives here: domains, accounts and aliases.
--
-- `folded` is an address as it is compared: the local part without quotes, in lower case and NFC, `@`, the domain's A-labels.
-- `address` is the same as it was spelled. An address names an account or an alias, never both: whoever adds one first writes to
-- the domain's row, so that two who add the same address wait for each other.

CREATE TABLE domain (
    domain_key BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- Where mail for unknown local parts goes; NULL: it is refused.
    catch_all TEXT,
    -- Where mail for postmaster goes; NULL: to the domain's oldest account.
    postmaster TEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE account (
    account_key BIGINT NOT NULL PRIMARY KEY,
    domain_key BIGINT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    address TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    -- NULL: no limit.
    quota_octets BIGINT,
    -- Counted by the writer, in the transactions that file and expunge.
    used_octets BIGINT NOT NULL DEFAULT 0,
    used_messages BIGINT NOT NULL DEFAULT 0,
    is_suspended BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

CREATE INDEX account_domain ON account (domain_key, account_key);

CREATE TABLE alias (
    alias_key BIGINT NOT NULL PRIMARY KEY,
    domain_key BIGINT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX alias_domain ON alias (domain_key);

CREATE TABLE alias_target (
    alias_key BIGINT NOT NULL,
    position BIGINT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (alias_key, position)
);
