-- Mail that people bring along from another server: how far each folder has come, so that a run that ended early goes on where it
-- was, and a later one brings only what is new.

CREATE TABLE import_run (
    account_key BIGINT PRIMARY KEY NOT NULL,
    -- The other server and the name there: ann@old.example:993.
    source TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    -- What was found and done, as JSON.
    progress TEXT NOT NULL
);

CREATE TABLE import_folder (
    account_key BIGINT NOT NULL,
    source TEXT NOT NULL,
    -- As it is called there.
    name TEXT NOT NULL,
    mailbox_key BIGINT NOT NULL,
    uid_validity BIGINT NOT NULL,
    last_uid BIGINT NOT NULL,
    -- HIGHESTMODSEQ there, when flags were last compared; 0: it has none.
    mod_seq BIGINT NOT NULL,
    PRIMARY KEY (account_key, source, name)
);

-- Which message there is which here: runs of UIDs that go in step, a row for each batch that was brought.
CREATE TABLE import_span (
    account_key BIGINT NOT NULL,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    first_uid BIGINT NOT NULL,
    -- UID there, UID here, how many: four octets each.
    spans BLOB NOT NULL,
    PRIMARY KEY (account_key, source, name, first_uid)
);
