-- What waits to be sent to other hosts, and what became of each message.
--
-- One row of queued holds what all its recipients share; each recipient has a row and attempts of its own. A claim is no more than a
-- next_attempt_at in the future with the state that says so: the claims of a process that died fall due by themselves. No
-- foreign keys: these tables are written with every message, and by the store alone.

CREATE TABLE queued (
    queue_key INTEGER PRIMARY KEY,
    message_key BIGINT NOT NULL,
    trace TEXT NOT NULL,
    size_octets BIGINT NOT NULL,
    -- Empty: the null reverse-path.
    reverse_path TEXT NOT NULL,
    -- RET: NULL none, 0 FULL, 1 HDRS.
    ret BIGINT,
    envelope_id TEXT,
    -- BODY: 0 7BIT, 1 8BITMIME, 2 BINARYMIME.
    body_type BIGINT NOT NULL,
    smtputf8 BIGINT NOT NULL,
    require_tls BIGINT NOT NULL,
    -- The account that submitted it; it may be gone by now.
    submitter BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX queued_content ON queued (message_key);
CREATE INDEX queued_trace ON queued (trace);

CREATE TABLE queued_recipient (
    recipient_key INTEGER PRIMARY KEY,
    queue_key BIGINT NOT NULL,
    address TEXT NOT NULL,
    -- The address's domain.
    destination TEXT NOT NULL,
    -- NOTIFY: NULL absent, else the sum of 1 SUCCESS, 2 FAILURE, 4 DELAY; 0 is NEVER.
    notify BIGINT,
    -- ORCPT: type and address; NULL absent.
    original_type TEXT,
    original_address TEXT,
    -- 0 waiting, 1 held, 2 claimed.
    state BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    -- When it falls due; of a claimed row, when the claim ends.
    next_attempt_at BIGINT NOT NULL,
    last_attempt_at BIGINT,
    last_reply TEXT,
    last_remote TEXT,
    -- A delay has been told to the sender.
    delay_told BIGINT NOT NULL
);

CREATE INDEX queued_recipient_message ON queued_recipient (queue_key);
CREATE INDEX queued_recipient_destination ON queued_recipient (destination);
CREATE INDEX queued_recipient_due ON queued_recipient (next_attempt_at, queue_key, destination) WHERE state <> 1;

-- What happened to each recipient of each message; old rows are pruned. The key grows with time, so it orders and bounds by time.
CREATE TABLE message_trace (
    trace_key INTEGER PRIMARY KEY,
    at BIGINT NOT NULL,
    trace TEXT NOT NULL,
    -- 0 queued, 1 delivered, 2 deferred, 3 failed, 4 refused, 5 removed.
    kind BIGINT NOT NULL,
    -- As compared, see 0001; empty: the null reverse-path.
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    remote TEXT NOT NULL,
    text TEXT NOT NULL
);

CREATE INDEX message_trace_trace ON message_trace (trace);
CREATE INDEX message_trace_sender ON message_trace (sender, trace_key);
CREATE INDEX message_trace_recipient ON message_trace (recipient, trace_key);
