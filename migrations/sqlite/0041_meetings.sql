-- Meetings to which people were invited by mail, as far as their messages must know of each other.

CREATE TABLE meeting (
    account_key BIGINT NOT NULL,
    -- What names it for all who take part (UID), who invites, in lower case, and which one of those that repeat; empty: all.
    uid TEXT NOT NULL,
    organizer TEXT NOT NULL,
    instance TEXT NOT NULL,
    -- The highest that was seen.
    sequence BIGINT NOT NULL,
    -- 1: it was called off.
    is_cancelled BIGINT NOT NULL,
    -- `accepted`, `tentative`, `declined`; empty: not answered.
    answer TEXT NOT NULL,
    -- To which version.
    answered_sequence BIGINT NOT NULL,
    answered_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (account_key, uid, organizer, instance)
);

CREATE INDEX meeting_seen ON meeting (account_key, seen_at);
