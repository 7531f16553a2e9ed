-- Whom the house tells what happens, over HTTP, and what is still to be told.
--
-- A delivery's row is made in the transaction that moves its cursor on: so an event is told at least once, through a crash, too.

CREATE TABLE webhook (
    webhook_key INTEGER PRIMARY KEY,
    -- What URLs and the API call it.
    id TEXT NOT NULL UNIQUE,
    -- Who made it; NULL: the command line. It goes with its owner.
    account_key BIGINT,
    -- Only events of this domain; NULL: of all.
    domain_key BIGINT,
    url TEXT NOT NULL,
    -- Their names, parted by spaces.
    events TEXT NOT NULL,
    description TEXT NOT NULL,
    -- The key of the signatures, in base64: who signs must have it whole.
    secret TEXT NOT NULL,
    is_enabled BIGINT NOT NULL,
    -- Why we switched it off ourselves; empty: we did not.
    stopped_because TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE webhook_delivery (
    delivery_key INTEGER PRIMARY KEY,
    webhook_key BIGINT NOT NULL,
    -- The same through all attempts, for who hears it twice.
    event_id TEXT NOT NULL,
    event TEXT NOT NULL,
    payload TEXT NOT NULL,
    -- 0 waiting, 1 delivered, 2 given up.
    state BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    last_attempt_at BIGINT,
    -- HTTP's, of the last answer; NULL: there was none.
    last_status BIGINT,
    last_error TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX webhook_delivery_webhook ON webhook_delivery (webhook_key, delivery_key);
CREATE INDEX webhook_delivery_due ON webhook_delivery (next_attempt_at) WHERE state = 0;

-- How far a source of events has been read: the last key.
CREATE TABLE webhook_cursor (
    source TEXT NOT NULL PRIMARY KEY,
    read_to BIGINT NOT NULL
);
