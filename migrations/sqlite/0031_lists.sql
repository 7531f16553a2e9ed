-- Mailing lists: an address whose mail goes to all who subscribed.

CREATE TABLE mailing_list (
    list_key BIGINT NOT NULL PRIMARY KEY,
    domain_key BIGINT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    address TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    -- 0: anybody. 1: members. 2: owners. 3: anybody, and owners look at each post first.
    posters BIGINT NOT NULL DEFAULT 1,
    -- People subscribe themselves; else owners add them.
    is_open BIGINT NOT NULL DEFAULT 0,
    max_octets BIGINT NOT NULL DEFAULT 1048576,
    -- Before the subject; empty: the subject stays as it is.
    prefix TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX mailing_list_domain ON mailing_list (domain_key, folded);

CREATE TABLE list_member (
    -- Grows with time: the order in which a post is sent out.
    member_key BIGINT NOT NULL PRIMARY KEY,
    list_key BIGINT NOT NULL,
    folded TEXT NOT NULL,
    address TEXT NOT NULL,
    is_owner BIGINT NOT NULL DEFAULT 0,
    -- 0: an owner who doesn't read it.
    gets_posts BIGINT NOT NULL DEFAULT 1,
    -- Days on which their posts came back, in a row.
    bounces BIGINT NOT NULL DEFAULT 0,
    bounced_on BIGINT,
    -- Since when nothing is sent to them, because too much came back.
    stopped_at BIGINT,
    joined_at BIGINT NOT NULL,
    UNIQUE (list_key, folded)
);

CREATE INDEX list_member_order ON list_member (list_key, member_key);

-- Posts that wait for an owner.
CREATE TABLE list_post (
    post_key BIGINT NOT NULL PRIMARY KEY,
    list_key BIGINT NOT NULL,
    -- The message's id: a post that is looked at twice is kept once.
    trace TEXT NOT NULL,
    author TEXT NOT NULL,
    subject TEXT NOT NULL,
    reverse_path TEXT NOT NULL,
    octets BLOB NOT NULL,
    held_at BIGINT NOT NULL,
    UNIQUE (list_key, trace)
);
