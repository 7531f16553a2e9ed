-- What mail programs note on mailboxes and on the server (RFC 5464).

CREATE TABLE metadata (
    account_key BIGINT NOT NULL,
    -- 0: the server, as this account sees it.
    mailbox_key BIGINT NOT NULL,
    -- /private/... or /shared/..., in small letters.
    name TEXT NOT NULL,
    value BYTEA NOT NULL,
    PRIMARY KEY (account_key, mailbox_key, name)
);

CREATE INDEX metadata_mailbox ON metadata (mailbox_key);
