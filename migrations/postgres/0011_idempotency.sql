-- What the API's POSTs did, for who sends one again under the same Idempotency-Key. Kept for a day.

CREATE TABLE idempotency (
    account_key BIGINT NOT NULL,
    -- Of the name that the request gave itself, sealed with the API key that asked: two keys of one person don't meet.
    name_hash BYTEA NOT NULL,
    -- Of path and body, sealed in the same way: bodies hold passwords.
    request_hash BYTEA NOT NULL,
    begun_at BIGINT NOT NULL,
    -- NULL: it is being done.
    answer TEXT,
    PRIMARY KEY (account_key, name_hash)
);

CREATE INDEX idempotency_begun ON idempotency (begun_at);
