# What others report of a domain's mail and of TLS to it.
reports-none = No report has come in the last thirty days.
reports-only-relayed = All that others reported, { $relayed } messages, came through mailing lists or forwarders.
reports-all-known = { $percent } % aligned; no unknown sender. { $relayed ->
    [0] {""}
    [one] One more came through a mailing list or a forwarder, and isn’t counted.
   *[other] { $relayed } more came through mailing lists or forwarders, and aren’t counted.
}
reports-unknown = { $percent } % aligned; { $unknown ->
    [one] one unknown sender
   *[other] { $unknown } unknown senders
}: { $names }. { $relayed ->
    [0] {""}
    [one] One more came through a mailing list or a forwarder, and isn’t counted.
   *[other] { $relayed } more came through mailing lists or forwarders, and aren’t counted.
}
reports-unknown-more = { $percent } % aligned; { $unknown } unknown senders, among them { $names }. { $relayed ->
    [0] {""}
    [one] One more came through a mailing list or a forwarder, and isn’t counted.
   *[other] { $relayed } more came through mailing lists or forwarders, and aren’t counted.
}
reports-unknown-unnamed = { $percent } % aligned; { $unknown ->
    [one] one unknown sender.
   *[other] { $unknown } unknown senders.
} { $relayed ->
    [0] {""}
    [one] One more came through a mailing list or a forwarder, and isn’t counted.
   *[other] { $relayed } more came through mailing lists or forwarders, and aren’t counted.
}
reports-source-others = Many more addresses, added up.
reports-source-own = This server. All of it is proved.
reports-source-own-unaligned = This server, and not all of it is proved: look whether SPF and DKIM stand in the DNS.
reports-source-aligned = Proved to be yours.
reports-source-forwarded = A mailing list or a forwarder: receivers say so, or your signature broke on the way and its own is good.
reports-source-provider = A service that many send by. If you use it, set up DKIM there for your domain; else somebody borrows your name.
reports-source-unknown = Not proved. If it is yours, it lacks SPF or DKIM; else it is somebody who borrows your name, and a stricter policy stops it.
reports-dmarc-no-policy = No DMARC record was found. Without one, nobody reports, and anybody may borrow the domain’s name.
reports-dmarc-too-early = The policy is { $current }. Reports of { $days ->
    [one] one day are
   *[other] { $days } days are
} there; with { $wanted } days and fifty messages the next step can be judged.
reports-dmarc-not-yet = The policy is { $current }. Only { $percent } % are aligned: a stricter policy would hurt mail of yours. Mend the senders below first.
reports-dmarc-unexplained = The policy is { $current }, and { $percent } % are aligned; but one large sender isn’t explained. Find out first whether it is yours.
reports-dmarc-next = The policy is { $current }, and { $percent } % are aligned: it can become { $next }.
reports-dmarc-done = The policy is { $current }: there is nothing stricter.
reports-tls-none = No report on TLS has come in the last thirty days.
reports-tls-well = All { $sessions } sessions that others reported came over TLS as they should.
reports-tls-failures = { $percent } % of { $sessions } sessions came over TLS as they should; { $failures ->
    [one] one failed.
   *[other] { $failures } failed.
}
reports-sts-no-policy = MTA-STS is switched off: others are not asked to use TLS.
reports-sts-too-early = MTA-STS is being tested. With reports of { $wanted } days and fifty sessions it can be judged whether it may be enforced; { $days ->
    [one] one day is
   *[other] { $days } days are
} there.
reports-sts-not-yet = MTA-STS is being tested, and only { $percent } % of the sessions pass: enforced, it would hold mail up. Look at the failures first.
reports-sts-unexplained = MTA-STS is being tested; one large failure isn’t explained.
reports-sts-next = MTA-STS is being tested, and { $percent } % of the sessions pass: it can be enforced.
reports-sts-done = MTA-STS is enforced.
