-- Reports that houses send each other, on DMARC (RFC 9990), on TLS (RFC 8460), on abuse and failures (RFC 5965, RFC 6591): what we have
-- to tell others of a day, and what others told us. Of a domain of ours nothing is kept that could grow with what strangers write: reports are added up.

-- What strangers' mail of a day came to, by those whose records ask for it, until it was told.
CREATE TABLE dmarc_count (
    -- Its beginning, UTC.
    day BIGINT NOT NULL,
    -- Whose record it is.
    policy_domain TEXT NOT NULL,
    -- BLAKE3 of the line, hexadecimal.
    digest TEXT NOT NULL,
    -- A row of the report without its count, as msgauth writes it.
    line TEXT NOT NULL,
    messages BIGINT NOT NULL,
    PRIMARY KEY (day, policy_domain, digest)
);

-- Mail to an address for reports that was filed, until it was read.
CREATE TABLE report_mail (
    message_key BIGINT NOT NULL PRIMARY KEY,
    arrived_at BIGINT NOT NULL
);

-- Reports that were read: with the reporter, the number tells doubles.
CREATE TABLE report_received (
    domain_key BIGINT NOT NULL,
    -- dmarc, tls.
    kind TEXT NOT NULL,
    organization TEXT NOT NULL,
    report_id TEXT NOT NULL,
    -- The day that it tells of, UTC.
    day BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    -- DMARC proved who sent it.
    is_authenticated BIGINT NOT NULL,
    -- Messages or sessions that it tells of.
    amount BIGINT NOT NULL,
    PRIMARY KEY (domain_key, kind, organization, report_id)
);

CREATE INDEX report_received_day ON report_received (day);

-- Mail with a domain's name, by day and by the address that it came from.
CREATE TABLE report_source (
    domain_key BIGINT NOT NULL,
    day BIGINT NOT NULL,
    source TEXT NOT NULL,
    messages BIGINT NOT NULL,
    -- By DKIM, by SPF, by either.
    dkim_aligned BIGINT NOT NULL,
    spf_aligned BIGINT NOT NULL,
    aligned BIGINT NOT NULL,
    -- What receivers did.
    quarantined BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    -- Something else than the policy asks: a mailing list, a forwarder.
    overridden BIGINT NOT NULL,
    PRIMARY KEY (domain_key, day, source)
);

CREATE INDEX report_source_day ON report_source (day);

-- TLS sessions to a domain's hosts, by day and outcome.
CREATE TABLE report_session (
    domain_key BIGINT NOT NULL,
    day BIGINT NOT NULL,
    -- success, or what the reporter calls the failure.
    result TEXT NOT NULL,
    -- Empty where it isn't said.
    mx_host TEXT NOT NULL,
    sessions BIGINT NOT NULL,
    PRIMARY KEY (domain_key, day, result, mx_host)
);

CREATE INDEX report_session_day ON report_session (day);

-- Complaints, and messages that failed elsewhere, by day.
CREATE TABLE report_incident (
    domain_key BIGINT NOT NULL,
    day BIGINT NOT NULL,
    -- abuse, auth-failure, ….
    kind TEXT NOT NULL,
    incidents BIGINT NOT NULL,
    PRIMARY KEY (domain_key, day, kind)
);

-- What came and couldn't be read, or was for nobody here.
CREATE TABLE report_unread (
    day BIGINT NOT NULL PRIMARY KEY,
    messages BIGINT NOT NULL,
    -- Of the last one.
    why TEXT NOT NULL
);
