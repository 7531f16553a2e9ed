# Whose mail it is: why a check of a message came out as it did (SPF, DKIM, DMARC, ARC), and what was done.
auth-unanswered = The DNS gave no answer for { $name }.

auth-iprev-pass = The sending server’s name, { $name }, leads back to its address.
auth-iprev-fail = The sending server’s name, { $name }, doesn’t lead back to its address.
auth-iprev-no-name = The sending server’s address bears no name.
auth-iprev-unanswered = The DNS gave no answer for the sending server’s name.

auth-spf-no-domain = There is no domain whose record could be read.
auth-spf-no-record = The domain doesn’t say which servers may send for it.
auth-spf-matched = “{ $term }” in the record of { $domain } speaks of this server.
auth-spf-nothing-matched = The record of { $domain } doesn’t speak of this server.
auth-spf-several = { $name } has several SPF records, where only one may stand.
auth-spf-malformed = The record of { $domain } can’t be read at “{ $term }”.
auth-spf-leads-nowhere = The record leads to { $name }, which has none.
auth-spf-lookups = The record asks for more than ten look-ups; “{ $term }” was one too many.
auth-spf-voids = The record asks for names that don’t exist; { $name } was one too many.
auth-spf-hosts = { $name } has more than ten mail servers, too many to be asked.

auth-dkim-none = Nobody has signed the message.
auth-dkim-good = The message is as it was signed.
auth-dkim-sha1 = The signature uses SHA-1, which is broken.
auth-dkim-from-unsigned = The signature leaves out the author’s name.
auth-dkim-identity = The signature speaks for somebody outside of its domain.
auth-dkim-identity-below = The key isn’t for names below its domain.
auth-dkim-unreadable = The signature can’t be read at “{ $culprit }”.
auth-dkim-expired = The signature has expired.
auth-dkim-body-changed = The text was changed after it was signed.
auth-dkim-header-changed = The header was changed after it was signed, or another key has signed it.
auth-dkim-body-unsigned = { $octets ->
    [one] The last octet of the text isn’t signed: anybody may have added it.
   *[other] The last { $octets } octets of the text aren’t signed: anybody may have added them.
}
auth-dkim-key-missing = There is no key at { $name }.
auth-dkim-key-revoked = The key at { $name } was withdrawn.
auth-dkim-key-short = The key at { $name } has { $bits } bits, too few to be trusted.
auth-dkim-key-unusable = What stands at { $name } is no key for this signature.

auth-dmarc-no-author = The author’s address can’t be read.
auth-dmarc-several-authors = The message names authors of several domains: { $domains }.
auth-dmarc-no-record = The author’s domain doesn’t say what to do with forgeries.
auth-dmarc-no-policy = The author’s domain has a record that says nothing of forgeries.
auth-dmarc-by-dkim = { $domain } has signed the message, and stands behind it.
auth-dmarc-by-spf = The message comes from a server of { $domain }, which stands behind it.
auth-dmarc-nothing-passed = Nobody stands behind the message.
auth-dmarc-others-passed = Others than the author stand behind the message: { $domains }.

auth-arc-none = Nobody on the way has sealed the message.
auth-arc-good = All seals that were set on the way are whole.
auth-arc-too-many = The message bears more than fifty seals.
auth-arc-gap = The seals have a gap: a field { $field } is missing, or stands twice.
auth-arc-unreadable = The field { $field } number { $instance } can’t be read.
auth-arc-broken-before = Seal number { $instance } says that the seals before it were broken.
auth-arc-message = The message was changed after hand number { $instance } had sealed it.
auth-arc-seal = Seal number { $instance } is broken.
auth-arc-unanswered = The DNS gave no answer for { $name }, the key of seal number { $instance }.

auth-dispose-passed = The author’s domain stands behind the message.
auth-dispose-no-policy = There is no policy that could be followed.
auth-dispose-unanswered = The DNS gave no answer; nothing was held against the message.
auth-dispose-policy = { $policy ->
    [reject] The policy of { $domain } asks to refuse what it doesn’t stand behind.
    [quarantine] The policy of { $domain } asks to treat as junk what it doesn’t stand behind.
   *[none] The policy of { $domain } asks for reports alone.
}
auth-dispose-testing = { $policy ->
    [reject] The policy of { $domain } asks for refusal, but is being tested: the message is treated as junk.
   *[other] The policy of { $domain } asks for junk, but is being tested: nothing was held against the message.
}
auth-dispose-list = { $policy ->
    [reject] The author’s policy asks for refusal, but the message came through the mailing list { $list }, which is known here.
   *[other] The author’s policy asks for junk, but the message came through the mailing list { $list }, which is known here.
}
auth-dispose-sealer = { $policy ->
    [reject] The author’s policy asks for refusal, but { $sealer }, which is trusted here, saw that the author stood behind the message.
   *[other] The author’s policy asks for junk, but { $sealer }, which is trusted here, saw that the author stood behind the message.
}

auth-judge-dkim-good = The message is as { $domain } has signed it.
auth-judge-only-marks = This house only marks such messages (setting trust.dmarc): nothing was done.
