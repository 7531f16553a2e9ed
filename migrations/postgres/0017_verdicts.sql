-- Why a message was taken, put into Junk or refused: what its checks found, for "Where is my mail?". Goes with the trace, as old.

CREATE TABLE message_verdict (
    verdict_key BIGINT NOT NULL PRIMARY KEY,
    -- As in message_trace; where another message has the same, the last counts.
    trace TEXT NOT NULL,
    -- 0 taken, 1 into Junk, 2 refused, 3 put off.
    fate BIGINT NOT NULL,
    -- In thousandths; NULL where nobody counted.
    score BIGINT,
    -- JSON, bounded.
    findings TEXT NOT NULL
);

CREATE INDEX message_verdict_trace ON message_verdict (trace);

-- Keys that sign mail are followed by new ones: a new key waits until its record was seen, and only then signs.

-- NULL: its record was not seen yet.
ALTER TABLE dkim_key ADD COLUMN signs_since BIGINT;

UPDATE dkim_key SET signs_since = created_at;
