-- The DNS of domains and of the host: the keys that sign mail, what the last checks found, and who serves the zones.
--
-- A `domain_key` of 0 is the host: it has no row in `domain`.

-- Keys that sign a domain's mail. A retired one stays in the DNS for a while, for mail on its way.
CREATE TABLE dkim_key (
    dkim_key BIGINT NOT NULL PRIMARY KEY,
    domain_key BIGINT NOT NULL,
    selector TEXT NOT NULL,
    -- rsa, ed25519.
    algorithm TEXT NOT NULL,
    -- PKCS#8 in PEM: who signs must have it whole.
    private_key TEXT NOT NULL,
    -- The p= of its record.
    public_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT,
    UNIQUE (domain_key, selector)
);

-- What the last check found.
CREATE TABLE dns_report (
    domain_key BIGINT NOT NULL PRIMARY KEY,
    -- The worst: 0 good, 1 could be better, 2 can't tell yet, 3 wrong.
    verdict BIGINT NOT NULL,
    good BIGINT NOT NULL,
    better BIGINT NOT NULL,
    unknown BIGINT NOT NULL,
    wrong BIGINT NOT NULL,
    -- JSON.
    report TEXT NOT NULL,
    checked_at BIGINT NOT NULL,
    next_check_at BIGINT NOT NULL
);

CREATE INDEX dns_report_due ON dns_report (next_check_at);

-- Findings that turned.
CREATE TABLE dns_turn (
    turn_key BIGINT NOT NULL PRIMARY KEY,
    domain_key BIGINT NOT NULL,
    finding TEXT NOT NULL,
    -- NULL: it is new.
    verdict_before BIGINT,
    verdict_after BIGINT NOT NULL,
    is_alert BIGINT NOT NULL,
    -- JSON: the words.
    words TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE INDEX dns_turn_domain ON dns_turn (domain_key, turn_key);

-- Accounts at those who serve zones.
CREATE TABLE dns_account (
    account_key BIGINT NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    name TEXT NOT NULL,
    -- JSON, secrets among it: who writes into a zone must have them whole.
    settings TEXT NOT NULL,
    -- The zones that it was seen to have, parted by spaces.
    zones TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- What was written into zones, and what stood there before.
CREATE TABLE dns_push (
    push_key BIGINT NOT NULL PRIMARY KEY,
    domain_key BIGINT NOT NULL,
    -- The account may be gone.
    account_key BIGINT NOT NULL,
    zone TEXT NOT NULL,
    -- JSON: the receipt, what became of each change, and what went wrong.
    record TEXT NOT NULL,
    is_complete BIGINT NOT NULL,
    pushed_by TEXT NOT NULL,
    pushed_at BIGINT NOT NULL,
    undone_at BIGINT,
    undone_by TEXT
);

CREATE INDEX dns_push_domain ON dns_push (domain_key, push_key);
