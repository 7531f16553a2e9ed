-- What people want and what not: what they teach the filter, whom they know, whom they allow and block, and who was asked to come again.

-- What an account's act said of a message; what isn't learnt yet is due.
CREATE TABLE lesson (
    account_key BIGINT NOT NULL,
    message_key BIGINT NOT NULL,
    -- 1: junk; 0: not.
    is_junk BIGINT NOT NULL,
    -- What the account's model has learnt of it: the same, or NULL for nothing.
    learnt BIGINT,
    at BIGINT NOT NULL,
    PRIMARY KEY (account_key, message_key)
);

CREATE INDEX lesson_message ON lesson (message_key);
CREATE INDEX lesson_due ON lesson (account_key, message_key) WHERE learnt IS NULL OR learnt <> is_junk;

-- What an account's filter has learnt.
CREATE TABLE junk_model (
    account_key BIGINT NOT NULL PRIMARY KEY,
    model BLOB NOT NULL,
    learnt_ham BIGINT NOT NULL,
    learnt_junk BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Addresses that an account has written to.
CREATE TABLE acquaintance (
    account_key BIGINT NOT NULL,
    -- As addresses are compared.
    folded TEXT NOT NULL,
    domain TEXT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (account_key, folded)
);

CREATE INDEX acquaintance_domain ON acquaintance (account_key, domain);
CREATE INDEX acquaintance_last ON acquaintance (account_key, last_at);

-- Senders who are always let in, or never.
CREATE TABLE sender_rule (
    rule_key BIGINT NOT NULL PRIMARY KEY,
    -- Whose; for all of the house where both are NULL.
    account_key BIGINT,
    domain_key BIGINT,
    -- An address as addresses are compared, or a domain.
    sender TEXT NOT NULL,
    -- 1: let in; 0: kept out.
    is_allowed BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX sender_rule_one ON sender_rule (COALESCE(account_key, 0), COALESCE(domain_key, 0), sender);
CREATE INDEX sender_rule_sender ON sender_rule (sender);

-- Who was asked to come again (RFC 6647).
CREATE TABLE greylist (
    -- Network, sender and recipient, hashed.
    visitor BLOB NOT NULL PRIMARY KEY,
    first_at BIGINT NOT NULL,
    -- Forgotten then.
    expires_at BIGINT NOT NULL
);

CREATE INDEX greylist_expires ON greylist (expires_at);

-- An account waits for a code: nobody who writes to it is asked to come again until then.
ALTER TABLE account ADD COLUMN awaits_code_until BIGINT;
