-- A message that was judged may be judged again as of now, as long as it is here: its row, which may be gone before the verdict is.

ALTER TABLE message_verdict ADD COLUMN message_key BIGINT;

-- Whether an account at a provider may set the records of keys that are to sign, and take away those of aged ones, by itself.

ALTER TABLE dns_account ADD COLUMN turns_keys BIGINT NOT NULL DEFAULT 0;
