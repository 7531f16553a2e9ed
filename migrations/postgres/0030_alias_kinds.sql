-- Aliases that stand for more than one address, that end, and that say who may send under their name.

-- 0: one address. 1: a local part with `*` in it. 2: a regular expression, as `/…/@domain`.
ALTER TABLE alias ADD COLUMN kind BIGINT NOT NULL DEFAULT 0;
-- Of regular expressions: those with smaller numbers are asked first.
ALTER TABLE alias ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;
-- Who may send as it. 0: all that it leads to. 1: those in alias_sender. 2: nobody.
ALTER TABLE alias ADD COLUMN senders BIGINT NOT NULL DEFAULT 0;
-- From then on its mail is refused; NULL: it doesn't end.
ALTER TABLE alias ADD COLUMN ends_at BIGINT;
-- What people note on it.
ALTER TABLE alias ADD COLUMN note TEXT NOT NULL DEFAULT '';
-- What is said to who still writes to it after its end; empty: the house's own words.
ALTER TABLE alias ADD COLUMN ended_text TEXT NOT NULL DEFAULT '';

-- Until now a `*` was a letter like any other.
UPDATE alias SET kind = 1 WHERE folded LIKE '%*%';

CREATE INDEX alias_kind ON alias (domain_key, kind);
CREATE INDEX alias_ends ON alias (ends_at);

CREATE TABLE alias_sender (
    alias_key BIGINT NOT NULL,
    position BIGINT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (alias_key, position)
);
