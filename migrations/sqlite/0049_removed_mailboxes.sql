-- A mailbox that was deleted can be brought back itself, also an empty one, with what it was for and what programs noted on it. Those that
-- were deleted before this stay known for the sake of their messages alone.

ALTER TABLE removed_mailbox ADD COLUMN special_use TEXT;
ALTER TABLE removed_mailbox ADD COLUMN is_subscribed BIGINT NOT NULL DEFAULT 1;
-- None: it isn't shown (any more), and is known as long as messages remember it.
ALTER TABLE removed_mailbox ADD COLUMN removed_at BIGINT;

CREATE INDEX removed_mailbox_age ON removed_mailbox (account_key, removed_at, mailbox_key);

-- The notes of deleted mailboxes, apart from those that count and show (metadata).
CREATE TABLE removed_metadata (
    account_key BIGINT NOT NULL,
    mailbox_key BIGINT NOT NULL,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (account_key, mailbox_key, name)
);

-- Who looks after lists is asked of addresses that stand for others, too: with a detail, by a wildcard.
CREATE INDEX list_member_owner ON list_member (folded) WHERE is_owner = 1;
