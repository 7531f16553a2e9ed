-- "Where is my mail?" is asked by subject, too. Decoded, at most 200 octets; only in the rows that the acceptance writes. No index:
-- each would cost every message, and a search looks at the newest rows alone.

ALTER TABLE message_trace ADD COLUMN subject TEXT;
