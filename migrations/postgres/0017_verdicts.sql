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
