-- Who is refused for now, so that a restart lets nobody in again.
CREATE TABLE ban (
    -- 1: a name that somebody tried to log in with, folded; 2: a network.
    kind BIGINT NOT NULL,
    whom TEXT NOT NULL,
    -- `log-ins`, or what was done at port 25.
    why TEXT NOT NULL,
    since_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    -- What led to it.
    failures BIGINT NOT NULL,
    -- Bans before this one: each is longer than the last.
    earlier BIGINT NOT NULL,
    PRIMARY KEY (kind, whom, why)
);
