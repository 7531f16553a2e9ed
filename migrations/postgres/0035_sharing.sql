-- Mailboxes that others may see (RFC 4314), and what each of them has seen there.

-- A team: its mailboxes are shared, and nobody logs in as it.
ALTER TABLE account ADD COLUMN is_team BIGINT NOT NULL DEFAULT 0;

-- An owner's own rights stand nowhere: they have them all.
CREATE TABLE acl (
    mailbox_key BIGINT NOT NULL,
    kind BIGINT NOT NULL,                      -- 0: anyone of the house, 1: a domain's people, 2: an account
    who BIGINT NOT NULL,                       -- 0, domain_key or account_key
    rights TEXT NOT NULL,                      -- letters, one at least
    PRIMARY KEY (mailbox_key, kind, who)
);

CREATE INDEX acl_who ON acl (kind, who);

-- What others than the owner have seen; the owner's \Seen stands in entry.flags.
CREATE TABLE seen (
    mailbox_key BIGINT NOT NULL,
    uid BIGINT NOT NULL,
    account_key BIGINT NOT NULL,
    PRIMARY KEY (mailbox_key, uid, account_key)
);

CREATE INDEX seen_reader ON seen (account_key, mailbox_key, uid);
