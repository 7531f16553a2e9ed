-- Quotas by count, and of a domain's people together; and how full an account was when its owner was last told.

ALTER TABLE account ADD COLUMN quota_messages BIGINT;
-- Percent, as of domain.quota_told; 0 where nothing was told, or room came back.
ALTER TABLE account ADD COLUMN quota_told BIGINT NOT NULL DEFAULT 0;
ALTER TABLE domain ADD COLUMN quota_octets BIGINT;
ALTER TABLE domain ADD COLUMN quota_messages BIGINT;
ALTER TABLE domain ADD COLUMN quota_told BIGINT NOT NULL DEFAULT 0;
