-- How each person writes mail in the browser: as whom, and in which form.

-- Names and addresses under which somebody writes; their own address is one without a row, too.
CREATE TABLE identity (
    account_key BIGINT NOT NULL,
    -- As addresses are compared, with their detail.
    folded TEXT NOT NULL,
    -- As it is written.
    address TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Where answers go; empty: to the address.
    reply_to TEXT NOT NULL,
    -- Plain text, with line ends as `\n`.
    signature TEXT NOT NULL,
    -- 1: new messages begin with it; of one row at most.
    is_default BIGINT NOT NULL,
    PRIMARY KEY (account_key, folded)
);

-- One row an account that has chosen something.
CREATE TABLE writing_choices (
    account_key BIGINT NOT NULL PRIMARY KEY,
    -- 1: messages are written with formatting.
    is_rich BIGINT NOT NULL,
    -- So long what is sent can be stopped.
    undo_seconds BIGINT NOT NULL
);

-- Drafts that go out by themselves when their time has come.
CREATE TABLE scheduled (
    mailbox_key BIGINT NOT NULL,
    uid BIGINT NOT NULL,
    account_key BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    -- When who wrote it had signed in: whoever was in when an account was closed sends no more.
    signed_in_at BIGINT NOT NULL,
    -- Until then it is being sent, and can't be stopped; 0: it isn't.
    lease_until BIGINT NOT NULL,
    -- Why it could not be sent, as JSON; empty: it waits.
    refused TEXT NOT NULL,
    PRIMARY KEY (mailbox_key, uid)
);

CREATE INDEX scheduled_of_account ON scheduled (account_key, due_at);
CREATE INDEX scheduled_due ON scheduled (due_at) WHERE refused = '';

-- People whom somebody knows.
CREATE TABLE contact (
    account_key BIGINT NOT NULL,
    -- The card's own name (RFC 6350 §6.7.6).
    uid TEXT NOT NULL,
    name TEXT NOT NULL,
    -- How lists are ordered: the name in lower case.
    sort_name TEXT NOT NULL,
    -- What is looked through: name, addresses and more, in lower case.
    words TEXT NOT NULL,
    -- Groups, in lower case, each between line ends.
    group_names TEXT NOT NULL,
    -- All of it, as vCard 4.0.
    card TEXT NOT NULL,
    PRIMARY KEY (account_key, uid)
);

CREATE INDEX contact_by_name ON contact (account_key, sort_name, uid);
