-- Mailboxes and messages. A content is kept once (message), however many mailboxes hold it (entry). What is asked for
-- together stands together: facts apart from bodies, so that a page of facts holds many; words to search and sort by apart
-- from both. No foreign keys: these tables are hot, and one writer keeps them true (Store::check looks).

CREATE TABLE message (
    message_key BIGINT PRIMARY KEY,
    hash BYTEA NOT NULL UNIQUE,                 -- blake3 of the raw octets
    thread_key BIGINT NOT NULL,
    size_octets BIGINT NOT NULL,
    header_octets BIGINT NOT NULL,             -- the header with its blank line
    created_at BIGINT NOT NULL,
    preview TEXT NOT NULL,
    envelope BYTEA NOT NULL,                    -- these three in IMAP's wire form
    body_structure BYTEA NOT NULL,
    body BYTEA NOT NULL,
    head BYTEA NOT NULL                         -- the first octets: the header, at most 64 KiB of it
);

CREATE TABLE message_body (
    message_key BIGINT PRIMARY KEY,
    place BIGINT NOT NULL,                     -- 0: zstd here, 1: plain here, 2: zstd in the object named by `octets`
    octets BYTEA NOT NULL                       -- what follows message.head
);

CREATE TABLE message_words (
    message_key BIGINT PRIMARY KEY,
    header_date BIGINT,                        -- Date: as a moment, in milliseconds
    header_day BIGINT,                         -- and as the day that it writes, since 1970-01-01
    subject TEXT NOT NULL,                     -- these four decoded and folded, to be searched
    from_words TEXT NOT NULL,
    to_words TEXT NOT NULL,
    cc_words TEXT NOT NULL,
    base_subject TEXT NOT NULL,                -- RFC 5256
    is_reply BIGINT NOT NULL,
    sort_from TEXT NOT NULL,
    sort_to TEXT NOT NULL,
    sort_cc TEXT NOT NULL,
    display_from TEXT NOT NULL,                -- RFC 5957
    display_to TEXT NOT NULL,
    message_id TEXT,
    refs TEXT NOT NULL                         -- References, else In-Reply-To; parted by spaces
);

-- A Message-ID with its base subject, hashed: which thread it belongs to.
CREATE TABLE thread_ref (
    ref_hash BIGINT PRIMARY KEY,
    thread_key BIGINT NOT NULL
);

CREATE TABLE mailbox (
    mailbox_key BIGINT PRIMARY KEY,
    account_key BIGINT NOT NULL,
    name TEXT NOT NULL,
    special_use TEXT,
    uid_validity BIGINT NOT NULL,
    uid_next BIGINT NOT NULL,
    highest_mod_seq BIGINT NOT NULL,
    expunged_floor BIGINT NOT NULL,            -- what was expunged up to this MODSEQ is no longer known
    messages BIGINT NOT NULL,
    unseen BIGINT NOT NULL,
    deleted BIGINT NOT NULL,
    recent_from BIGINT NOT NULL,               -- the first UID that no session has been told of (\Recent, RFC 3501)
    size_octets BIGINT NOT NULL,
    UNIQUE (account_key, name)
);

CREATE TABLE mailbox_keyword (
    mailbox_key BIGINT NOT NULL,
    bit BIGINT NOT NULL,                       -- 5 to 62: its place in entry.flags
    name TEXT NOT NULL,
    PRIMARY KEY (mailbox_key, bit)
);

CREATE TABLE subscription (
    account_key BIGINT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (account_key, name)
);

CREATE TABLE entry (
    mailbox_key BIGINT NOT NULL,
    uid BIGINT NOT NULL,
    message_key BIGINT NOT NULL,
    flags BIGINT NOT NULL,                     -- bits 0 to 4: system flags; above: mailbox_keyword
    mod_seq BIGINT NOT NULL,
    size_octets BIGINT NOT NULL,
    internal_date BIGINT NOT NULL,             -- seconds since 1970, as is saved_at
    saved_at BIGINT NOT NULL,
    PRIMARY KEY (mailbox_key, uid)
);

CREATE INDEX entry_message ON entry (message_key);

-- UIDs that are gone, in runs (RFC 7162's VANISHED).
CREATE TABLE expunged (
    mailbox_key BIGINT NOT NULL,
    mod_seq BIGINT NOT NULL,
    first_uid BIGINT NOT NULL,
    last_uid BIGINT NOT NULL,
    PRIMARY KEY (mailbox_key, mod_seq, first_uid)
);

-- Numbers that never go back, though the rows that had them are gone.
CREATE TABLE counter (
    name TEXT PRIMARY KEY NOT NULL,
    value BIGINT NOT NULL
);

INSERT INTO counter (name, value) VALUES ('uid_validity', 1);
