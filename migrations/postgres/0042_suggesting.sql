-- Whether those to whom somebody has written complete what they type; their contacts do anyway.
ALTER TABLE writing_choices ADD COLUMN suggests_written BIGINT NOT NULL DEFAULT 1;
