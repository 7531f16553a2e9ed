-- Who logged in, and who tried: what an owner looks at after a fright. Kept for 90 days, and no more than so many rows.
--
-- A row stands for all attempts of one kind: a success for those of the same account, protocol, network and app password within
-- ten minutes, a failure for those of the same name, protocol and network within one.

CREATE TABLE login_history (
    login_key BIGINT NOT NULL PRIMARY KEY,
    -- NULL: nobody here has this name.
    account_key BIGINT,
    -- The account's domain, or the one that the unknown name is in; NULL: none of ours.
    domain_key BIGINT,
    -- As it was typed, shortened.
    name TEXT COLLATE "C" NOT NULL,
    protocol TEXT COLLATE "C" NOT NULL,
    -- Of the last attempt.
    ip TEXT COLLATE "C" NOT NULL,
    is_granted BIGINT NOT NULL,
    -- The app password's name; NULL: the account's own password, or a wrong one.
    app_password TEXT COLLATE "C",
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL
);

CREATE INDEX login_history_account ON login_history (account_key, login_key);
CREATE INDEX login_history_domain ON login_history (domain_key, login_key);
CREATE INDEX login_history_failed ON login_history (login_key) WHERE is_granted = 0;
