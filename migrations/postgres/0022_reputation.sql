-- What accounts read and keep, and what speaks for its senders because of that.

-- A message that an account has read; what isn't looked at yet is due.
CREATE TABLE reading (
    account_key BIGINT NOT NULL,
    message_key BIGINT NOT NULL,
    -- Whether it was kept is looked at then; NULL: it was.
    due_at BIGINT,
    -- 1: it speaks for its sender; 0: it doesn't.
    counted BIGINT NOT NULL,
    PRIMARY KEY (account_key, message_key)
);

CREATE INDEX reading_message ON reading (message_key);
CREATE INDEX reading_due ON reading (due_at) WHERE due_at IS NOT NULL;

-- From whom an account has read and kept mail.
CREATE TABLE reputation (
    account_key BIGINT NOT NULL,
    -- 1: an author's address, as addresses are compared; 2: a domain that signed; 3: a network.
    kind BIGINT NOT NULL,
    name TEXT NOT NULL,
    -- Messages.
    wanted BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (account_key, kind, name)
);

CREATE INDEX reputation_last ON reputation (account_key, kind, last_at);
