-- How mail travels to other hosts: what their domains ask of TLS, how it came out, and how each delivery was protected.

-- MTA-STS (RFC 8461): policies that were fetched, kept until they end.
CREATE TABLE sts_policy (
    domain TEXT NOT NULL PRIMARY KEY,
    -- The id of its record when it was fetched.
    id TEXT NOT NULL,
    -- As it was served.
    policy TEXT NOT NULL,
    fetched_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- When mail last asked for it.
    used_at BIGINT NOT NULL
);

CREATE INDEX sts_policy_expires ON sts_policy (expires_at);

-- TLS reports (RFC 8460): sessions by day and outcome.
CREATE TABLE tls_result (
    -- Its beginning, UTC.
    day BIGINT NOT NULL,
    policy_domain TEXT NOT NULL,
    -- tlsa, sts, no-policy-found.
    policy_type TEXT NOT NULL,
    -- Empty where no host was chosen.
    mx_host TEXT NOT NULL,
    -- success, or a result type of RFC 8460 §4.3.
    result TEXT NOT NULL,
    sessions BIGINT NOT NULL,
    PRIMARY KEY (day, policy_domain, policy_type, mx_host, result)
);

-- clear, encrypted, verified, mta-sts, dane; NULL: it went to no other host, or before this was noted.
ALTER TABLE message_trace ADD COLUMN tls TEXT;
