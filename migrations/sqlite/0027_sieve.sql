-- People's Sieve scripts, those of domains and of the house, and what scripts remember of messages.

CREATE TABLE sieve_script (
    script_key BIGINT NOT NULL PRIMARY KEY,
    -- Whose it is; neither: the house's.
    account_key BIGINT,
    domain_key BIGINT,
    name TEXT NOT NULL,
    script TEXT NOT NULL,
    octets BIGINT NOT NULL,
    -- 1: of an account's, the one that runs. A domain's and the house's run by their names, `before` and `after`.
    is_active BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    -- Its owner was told that it fails; nothing again until it is another script.
    failed_at BIGINT
);

CREATE UNIQUE INDEX sieve_script_name ON sieve_script (COALESCE(account_key, 0), COALESCE(domain_key, 0), name);

-- Who was answered, and which messages were there before.
CREATE TABLE sieve_memory (
    account_key BIGINT NOT NULL,
    -- SHA-256 of what it is about.
    about BLOB NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (account_key, about)
);

CREATE INDEX sieve_memory_end ON sieve_memory (account_key, expires_at);
