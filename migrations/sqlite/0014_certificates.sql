-- Certificates: those that are served, the names that are wanted, and what came of each order.
--
-- Private keys stand here because the database is what all nodes share and what a backup takes; it is readable by the house alone.

CREATE TABLE acme_account (
    directory_url TEXT NOT NULL PRIMARY KEY,
    -- What the CA was told of us when the account was opened; empty: nothing.
    contact TEXT NOT NULL,
    eab_key_id TEXT NOT NULL,
    -- The account's URL and private key, as the ACME client writes them; NULL: not opened yet.
    credentials TEXT,
    opened_at BIGINT,
    -- How often in succession the CA itself failed, and until when it is left alone.
    failures BIGINT NOT NULL,
    rest_until BIGINT,
    -- The node that orders has it until then.
    held_until BIGINT NOT NULL
);

CREATE TABLE certificate (
    certificate_key INTEGER PRIMARY KEY,
    -- 0 by ACME, 1 brought by a person.
    source BIGINT NOT NULL,
    -- Names of one bundle share certificates; empty: brought by a person.
    bundle TEXT NOT NULL,
    -- A-labels in lower case, parted by spaces.
    names TEXT NOT NULL,
    chain_pem TEXT NOT NULL,
    key_pem TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    -- Who made it, as its issuer field says.
    issuer TEXT NOT NULL,
    -- When it is to be renewed; NULL: never by us.
    renew_at BIGINT,
    -- When the CA is asked again when that should be (RFC 9773); NULL: it doesn't say.
    ask_at BIGINT
);

CREATE TABLE certificate_name (
    name TEXT NOT NULL PRIMARY KEY,
    bundle TEXT NOT NULL,
    -- Whose it is; NULL: the house's own. It goes with its domain.
    domain_key BIGINT,
    -- 0 a service name of the house's, 1 asked for by a person.
    is_asked BIGINT NOT NULL,
    -- 0 waits for its DNS, 1 is to be ordered, 2 has a certificate, 3 was refused.
    state BIGINT NOT NULL,
    -- Why it waits or was refused: what was found, or the CA's own words.
    says TEXT NOT NULL,
    -- RFC 8555's type of the problem; empty: none.
    problem TEXT NOT NULL,
    failures BIGINT NOT NULL,
    -- When it is looked at again.
    retry_at BIGINT NOT NULL,
    -- The one that covers it.
    certificate_key BIGINT,
    changed_at BIGINT NOT NULL
);

CREATE INDEX certificate_name_domain ON certificate_name (domain_key);
CREATE INDEX certificate_name_certificate ON certificate_name (certificate_key);

CREATE TABLE certificate_order (
    order_key INTEGER PRIMARY KEY,
    at BIGINT NOT NULL,
    directory_url TEXT NOT NULL,
    names TEXT NOT NULL,
    -- 0 issued, 1 refused, 2 the CA failed or told us to wait.
    outcome BIGINT NOT NULL,
    -- RFC 8555's type of the problem, and the CA's own words.
    problem TEXT NOT NULL,
    says TEXT NOT NULL,
    certificate_key BIGINT
);
