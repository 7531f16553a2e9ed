-- Messages that were deleted, while they can be taken back (settings: removed.kept). No mailbox shows them, and no quota counts them.

CREATE TABLE removed_message (
    account_key BIGINT NOT NULL,
    message_key BIGINT NOT NULL,
    mailbox_key BIGINT NOT NULL,               -- where it stood; perhaps gone, too
    flags BIGINT NOT NULL,                     -- as in entry
    size_octets BIGINT NOT NULL,
    internal_date BIGINT NOT NULL,             -- seconds since 1970
    removed_at BIGINT NOT NULL,
    PRIMARY KEY (account_key, message_key)
) WITHOUT ROWID;

CREATE INDEX removed_message_content ON removed_message (message_key);
CREATE INDEX removed_message_age ON removed_message (account_key, removed_at, message_key, size_octets);

-- Mailboxes that were deleted, as long as messages remember them. Their keywords stay for as long.
CREATE TABLE removed_mailbox (
    mailbox_key BIGINT NOT NULL PRIMARY KEY,
    account_key BIGINT NOT NULL,
    name TEXT NOT NULL
) WITHOUT ROWID;
