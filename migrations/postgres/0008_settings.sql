-- What the house is told by those who run it: only what was set. Names, defaults and ranges stand in the program
-- (store/src/settings.rs); a name that it doesn't know is left alone, for a newer version may.

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    -- As docs/settings.md says values are written: seconds, octets, true or false, words.
    value TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);
