-- What accounts send, against what they may and what is usual with them: counts, holds, addresses that are nobody's, complaints.

-- Overrides of the house's limits, as daily_messages and daily_recipients are; NULL: the house's.
ALTER TABLE account ADD COLUMN hourly_messages BIGINT;
ALTER TABLE account ADD COLUMN hourly_recipients BIGINT;
ALTER TABLE account ADD COLUMN daily_new_recipients BIGINT;
-- Who logged in before is logged in no more, whatever program they did it with.
ALTER TABLE account ADD COLUMN closed_at BIGINT;

-- What an account sent in spans of ten minutes, kept for two weeks.
CREATE TABLE sent_count (
    account_key BIGINT NOT NULL,
    -- When the span begins.
    span_at BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    recipients BIGINT NOT NULL,
    -- To whom the account had never written.
    new_recipients BIGINT NOT NULL,
    -- Whom other hosts refused as nobody: counted when they do.
    unknown_recipients BIGINT NOT NULL,
    PRIMARY KEY (account_key, span_at)
);

CREATE INDEX sent_count_span ON sent_count (span_at);

-- Accounts whose mail to other hosts is, or was, held.
CREATE TABLE sending_hold (
    hold_key BIGINT NOT NULL PRIMARY KEY,
    account_key BIGINT NOT NULL,
    -- new_recipients, messages, network, unknown, complaints.
    reason TEXT NOT NULL,
    -- What was seen; when it is released, the most that was seen: that is usual from then on.
    messages BIGINT NOT NULL,
    new_recipients BIGINT NOT NULL,
    unknown_recipients BIGINT NOT NULL,
    complaints BIGINT NOT NULL,
    -- From where; empty: nothing was sent when it was raised.
    peer TEXT NOT NULL,
    raised_at BIGINT NOT NULL,
    -- When account and owners were written to.
    told_at BIGINT,
    ended_at BIGINT,
    -- released, dropped; NULL: it holds.
    outcome TEXT
);

CREATE UNIQUE INDEX sending_hold_one ON sending_hold (account_key) WHERE ended_at IS NULL;
CREATE INDEX sending_hold_account ON sending_hold (account_key, hold_key);

-- The hold that stopped a recipient; NULL: none did, or somebody by hand.
ALTER TABLE queued_recipient ADD COLUMN hold_key BIGINT;
CREATE INDEX queued_recipient_hold ON queued_recipient (hold_key) WHERE hold_key IS NOT NULL;

-- Addresses elsewhere that were refused as nobody.
CREATE TABLE suppressed (
    -- As addresses are compared.
    folded TEXT NOT NULL PRIMARY KEY,
    address TEXT NOT NULL,
    -- Refusals that count, since the address last took something.
    refusals BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    -- Whose mail was refused last.
    submitter BIGINT NOT NULL,
    -- Since when mail to it is refused here, and for the how manyth time; NULL: it isn't yet.
    since_at BIGINT,
    times BIGINT NOT NULL,
    -- What was said last, and by which host.
    reply TEXT NOT NULL,
    remote TEXT NOT NULL
);

CREATE INDEX suppressed_last ON suppressed (last_at);
CREATE INDEX suppressed_since ON suppressed (since_at) WHERE since_at IS NOT NULL;

-- Messages of our people that somebody complained of (RFC 5965), each once.
CREATE TABLE complaint (
    trace TEXT NOT NULL PRIMARY KEY,
    account_key BIGINT NOT NULL,
    -- abuse, fraud, virus.
    kind TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE INDEX complaint_account ON complaint (account_key, at);
CREATE INDEX complaint_at ON complaint (at);

-- Who submitted a message that was queued.
ALTER TABLE message_trace ADD COLUMN submitter BIGINT;
