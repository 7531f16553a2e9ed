-- The browser's sign-in, and the API's keys. Of each token that opens something only a hash is kept: it is random and long, so that a
-- fast hash (blake3) does, and nobody who reads the table can use what he reads.

CREATE TABLE session (
    session_key BIGINT NOT NULL PRIMARY KEY,
    -- Changes with each step of privilege.
    hash BLOB NOT NULL UNIQUE,
    account_key BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Told not more than once a minute.
    seen_at BIGINT NOT NULL,
    -- Moves with seen_at, up to a last day.
    expires_at BIGINT NOT NULL,
    ip TEXT NOT NULL,
    -- Shortened.
    agent TEXT NOT NULL,
    -- 0: the password was right, a second factor is still to come; 1: signed in.
    is_whole BIGINT NOT NULL,
    -- When the person last said who they are.
    proved_at BIGINT NOT NULL,
    -- Codes that were tried while the second factor was to come.
    attempts BIGINT NOT NULL
);

CREATE INDEX session_account ON session (account_key, is_whole, seen_at);
CREATE INDEX session_expiry ON session (expires_at);

-- What is sent or copied to somebody, and opens one thing once: the house's setting up, or an account's new password.
CREATE TABLE one_time_link (
    hash BLOB NOT NULL PRIMARY KEY,
    -- 0 setting up, 1 password.
    purpose BIGINT NOT NULL,
    -- NULL: setting up is nobody's.
    account_key BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX one_time_link_account ON one_time_link (account_key);

-- An authenticator's secret (RFC 6238). It stands here in the clear, because both sides compute with it: a hash would not do, and a
-- key to hide it would have to lie beside it. The database's directory is open to the service alone, as are backups of it.
CREATE TABLE totp (
    account_key BIGINT NOT NULL PRIMARY KEY,
    secret BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    -- A first code was right; until then it asks nobody for anything.
    is_confirmed BIGINT NOT NULL,
    -- The step (of 30 seconds since 1970) of the last code taken: neither it nor an earlier one is taken again.
    last_step BIGINT NOT NULL,
    -- Wrong codes since the last right one, over all sessions.
    failures BIGINT NOT NULL,
    -- Until then no code is looked at.
    refused_until BIGINT NOT NULL
);

-- What a person writes down for the day on which the authenticator is lost.
CREATE TABLE recovery_code (
    account_key BIGINT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (account_key, hash)
);

-- Public keys of passkeys (WebAuthn).
CREATE TABLE passkey (
    passkey_key BIGINT NOT NULL PRIMARY KEY,
    account_key BIGINT NOT NULL,
    credential_id BLOB NOT NULL UNIQUE,
    -- What authenticators know the account as: random, and the same for all its passkeys.
    user_handle BLOB NOT NULL,
    -- As the person named it.
    name TEXT NOT NULL,
    -- The public key with its counter, as JSON.
    credential TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    UNIQUE (account_key, name)
);

-- Bearer keys of the API.
CREATE TABLE api_key (
    api_key_key BIGINT NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    -- Whose it is: it never may more than they, and goes when they go.
    account_key BIGINT NOT NULL,
    name TEXT NOT NULL,
    -- The most that it may, whatever its owner may; as account.role.
    role BIGINT NOT NULL,
    -- `domains:read people:write …`, or `*`.
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- NULL: never.
    expires_at BIGINT,
    last_used_at BIGINT,
    last_used_ip TEXT,
    UNIQUE (account_key, name)
);

-- Someone else knows the password, for they set it: another must be set before anything else is done.
ALTER TABLE account ADD COLUMN must_change_password BIGINT NOT NULL DEFAULT 0;
