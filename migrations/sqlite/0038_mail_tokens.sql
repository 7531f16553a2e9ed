-- How programs log in and what they are told.
--
-- Tokens for mail programs that speak OAUTHBEARER (RFC 7628) or XOAUTH2: app passwords of another form, with an end.
--
-- A token is 256 bits of chance, so a plain hash of it is enough; SCRAM's keys, which its row must have, are empty.

-- NULL: an app password.
ALTER TABLE app_password ADD COLUMN token_hash BLOB;
-- From then on it opens nothing; NULL: for good, as app passwords.
ALTER TABLE app_password ADD COLUMN expires_at BIGINT;

CREATE UNIQUE INDEX app_password_by_token ON app_password (token_hash);

-- Extensions of IMAP that aren't announced to this account's programs, with blanks between them: beside those that are hidden from all.
ALTER TABLE account ADD COLUMN imap_hidden TEXT NOT NULL DEFAULT '';
