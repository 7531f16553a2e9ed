-- What the console needs of the directory: who changed what, roles, limits, other names of domains, and removal with grace.
--
-- What is removed keeps its row, and its address taken, until it is purged; `removed_at` says since when. `version` is the key of the last
-- change, so that two changes of one thing never have the same, not even when it was removed and made anew between them.

CREATE TABLE audit (
    audit_key BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    author TEXT NOT NULL,
    -- NULL: the command line, or the house itself.
    author_key BIGINT,
    -- panel, api, command_line, house.
    via TEXT NOT NULL,
    peer TEXT,
    act TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- The subject's key in its table.
    about BIGINT,
    -- Whose administrators see it; NULL: only owners.
    domain_key BIGINT,
    -- JSON of what differs.
    before_json TEXT,
    after_json TEXT,
    undone_at BIGINT,
    undone_by TEXT,
    -- The row that this one undid.
    undoes BIGINT
);

CREATE INDEX audit_domain ON audit (domain_key, audit_key);
CREATE INDEX audit_about ON audit (about, audit_key);
CREATE INDEX audit_author ON audit (author, audit_key);
CREATE INDEX audit_subject ON audit (subject, audit_key);

ALTER TABLE domain ADD COLUMN description TEXT NOT NULL DEFAULT '';
-- What people of it start with; NULL: no limit.
ALTER TABLE domain ADD COLUMN default_quota_octets BIGINT;
-- NULL: no limit.
ALTER TABLE domain ADD COLUMN max_people BIGINT;
ALTER TABLE domain ADD COLUMN is_disabled BIGINT NOT NULL DEFAULT 0;
ALTER TABLE domain ADD COLUMN removed_at BIGINT;
ALTER TABLE domain ADD COLUMN version BIGINT NOT NULL DEFAULT 0;

-- Another name of a domain: its addresses lead where the domain's lead. A name is a domain or an alias of one, never both.
CREATE TABLE domain_alias (
    name TEXT NOT NULL PRIMARY KEY,
    domain_key BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX domain_alias_domain ON domain_alias (domain_key);

-- 0 user, 1 help desk, 2 domain admin, 3 owner.
ALTER TABLE account ADD COLUMN role BIGINT NOT NULL DEFAULT 0;
-- What a search looks in, and how people are put in order by name: name and folded address, in lower case.
ALTER TABLE account ADD COLUMN words TEXT NOT NULL DEFAULT '';
-- A code of RFC 5646; empty: not chosen. `theme` likewise: light, dark.
ALTER TABLE account ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN theme TEXT NOT NULL DEFAULT '';
-- Sent in a day at most; NULL: no limit.
ALTER TABLE account ADD COLUMN daily_messages BIGINT;
ALTER TABLE account ADD COLUMN daily_recipients BIGINT;
-- Logged in last; see login_history.
ALTER TABLE account ADD COLUMN last_seen_at BIGINT;
ALTER TABLE account ADD COLUMN removed_at BIGINT;
ALTER TABLE account ADD COLUMN version BIGINT NOT NULL DEFAULT 0;

UPDATE account SET words = lower(name) || ' ' || folded;

CREATE INDEX account_words ON account (words);
CREATE INDEX account_created ON account (created_at, folded);
CREATE INDEX account_role ON account (role) WHERE role > 0;
CREATE INDEX account_removed ON account (removed_at) WHERE removed_at IS NOT NULL;

-- The index of people by domain gives its name to the table below.
DROP INDEX account_domain;
CREATE INDEX account_by_domain ON account (domain_key, account_key);

-- The domains that a help desk or a domain admin serves.
CREATE TABLE account_domain (
    account_key BIGINT NOT NULL,
    domain_key BIGINT NOT NULL,
    PRIMARY KEY (account_key, domain_key)
);

CREATE INDEX account_domain_domain ON account_domain (domain_key);

ALTER TABLE alias ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
CREATE INDEX alias_domain_folded ON alias (domain_key, folded);

-- The target as it is compared, and its domain: who leads here, and which aliases lead out of the house.
ALTER TABLE alias_target ADD COLUMN folded TEXT NOT NULL DEFAULT '';
ALTER TABLE alias_target ADD COLUMN domain TEXT NOT NULL DEFAULT '';

UPDATE alias_target SET folded = lower(address), domain = lower(replace(address, rtrim(address, replace(address, '@', '')), ''));

CREATE INDEX alias_target_folded ON alias_target (folded);
CREATE INDEX alias_target_domain ON alias_target (domain);
