-- Messages that are out of the way until a time that their reader chose.

-- Each stands in the mailbox Snoozed; one that was moved on or deleted meanwhile leaves a row that finds nothing.
CREATE TABLE snoozed (
    mailbox_key BIGINT NOT NULL,
    uid BIGINT NOT NULL,
    account_key BIGINT NOT NULL,
    -- When it comes back.
    due_at BIGINT NOT NULL,
    PRIMARY KEY (mailbox_key, uid)
);

CREATE INDEX snoozed_due ON snoozed (due_at);
CREATE INDEX snoozed_of_account ON snoozed (account_key);
