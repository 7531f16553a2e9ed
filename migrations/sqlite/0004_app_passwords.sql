-- How programs prove who they are: app passwords, one a device, instead of the account's own password.
--
-- Only SCRAM's two keys are kept (RFC 5803's, without its text): they check a password over PLAIN as well, and whoever reads them
-- cannot log in with them. All app passwords of an account share one salt, because SCRAM's server names it before the
-- client has shown which of them it has (RFC 5802 §3).

-- Random octets that must be the same after a restart; none of them is ever told.
CREATE TABLE secret (
    name TEXT NOT NULL PRIMARY KEY,
    octets BLOB NOT NULL
);

-- Made with an account's first app password; stays when the last one goes.
CREATE TABLE scram_salt (
    account_key BIGINT NOT NULL PRIMARY KEY,
    salt BLOB NOT NULL,
    iterations BIGINT NOT NULL
);

CREATE TABLE app_password (
    app_password_key BIGINT NOT NULL PRIMARY KEY,
    account_key BIGINT NOT NULL,
    -- As the person named the device.
    name TEXT NOT NULL,
    -- IMAP 1, POP3 2, SMTP 4; others will follow.
    protocols BIGINT NOT NULL,
    stored_key BLOB NOT NULL,
    server_key BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    -- NULL: never. Told not more than once a minute.
    last_used_at BIGINT,
    last_used_ip TEXT,
    last_used_protocol TEXT,
    UNIQUE (account_key, name)
);

-- With a second factor on, the account's own password opens no mail protocol.
ALTER TABLE account ADD COLUMN needs_app_password BIGINT NOT NULL DEFAULT 0;
