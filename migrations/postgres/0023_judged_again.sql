-- A message that was judged may be judged again as of now, as long as it is here: its row, which may be gone before the verdict is.

ALTER TABLE message_verdict ADD COLUMN message_key BIGINT;
