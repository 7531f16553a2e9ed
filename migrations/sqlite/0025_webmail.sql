-- How each person reads mail in the browser, and whose pictures they want to see.

-- One row an account that has chosen something; who has none gets what everybody gets.
CREATE TABLE reading_choices (
    account_key BIGINT NOT NULL PRIMARY KEY,
    -- `roomy` or `dense`.
    density TEXT NOT NULL,
    -- `right`, `below` or `none`.
    pane TEXT NOT NULL,
    -- 1: messages that answer each other stand together.
    by_conversation BIGINT NOT NULL
);

-- Senders whose pictures are fetched without being asked for.
CREATE TABLE picture_sender (
    account_key BIGINT NOT NULL,
    -- As addresses are compared.
    folded TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (account_key, folded)
);
