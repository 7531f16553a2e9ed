-- What fields say is kept folded, from now on as i;unicode-casemap folds (RFC 5051): taken apart, too. What was kept before is folded once
-- more by the store when it is opened, which SQL can't; up to where that has come stands here, and no row where it is done.
CREATE TABLE words_refolded (
    up_to BIGINT NOT NULL
);
INSERT INTO words_refolded (up_to) SELECT 0 WHERE EXISTS (SELECT 1 FROM message_words);
