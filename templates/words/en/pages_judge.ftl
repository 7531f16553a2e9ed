# "Test this message".
judge-title = Test a message
judge-test = Test a message
judge-lead = What would be done with a message if it came now, and why. Nothing of it is kept, nobody gets it, and no filter learns from it.
judge-again = Judge again as of now
judge-again-title = Judged again as of now
judge-again-lead = What would be done with this message if it came now. What was done with it stays as it is.
judge-back = The message
judge-file = A file (.eml)
judge-paste = Or its source
judge-paste-help = All of it, header and body, as “show original” gives it. 10 MB at most.
judge-recipient = To whom
judge-recipient-help = An address here. Its person’s filter and rules are asked.
judge-hop = Which Received line tells how it came
judge-hop-help = Counted from the top: the message is judged as the host got it that wrote the line. 0 judges it as it stands.
judge-peer = From the address
judge-said-help = What you leave empty here and below is taken from that line.
judge-hello = The host calls itself
judge-sender = MAIL FROM
judge-sender-help = Else its Return-Path is taken. Write <> for a notice, which has no sender.
judge-no-path = <> (a notice)
judge-act = Test it
judge-reply = Whoever brings it is told
judge-findings = What was found
judge-came = How it was taken to come
judge-hops = The hosts that took it so far
judge-hop-number = Line
judge-hop-by = Taken by
judge-hop-chosen = judged as it came here
judge-taken = It would go where it is to go: { $copies ->
    [one] into one mailbox
   *[other] into { $copies } mailboxes
}.
judge-junk = It would go into Junk{ $copies ->
    [one] .
   *[other] , in all { $copies } mailboxes.
}
judge-split = It would go into { $copies } mailboxes, in { $junk } of them into Junk.
judge-passed-on = It would be passed on to another host.
judge-forwards = { $forwards ->
    [one] A copy would go on to another host.
   *[other] { $forwards } copies would go on to other hosts.
}
judge-refused = It would be refused.
judge-put-off = It would be put off: whoever brings it may come again.
judge-script-fail = The rules of { $whose } would fail: it would be kept.
judge-script-fail-what = The rules of { $whose } would fail ({ $what }): it would be kept.
judge-script-reject = The rules of { $whose } would refuse it.
judge-script-reject-what = The rules of { $whose } would refuse it: “{ $what }”.
judge-script-file = The rules of { $whose } would file a copy.
judge-script-file-what = The rules of { $whose } would file a copy in { $what }.
judge-script-redirect = The rules of { $whose } would send it on.
judge-script-redirect-what = The rules of { $whose } would send it on to { $what }.
judge-script-write = The rules of { $whose } would write an answer or a notice.
judge-script-write-what = The rules of { $whose } would write to { $what }.
judge-script-discard = The rules of { $whose } would throw it away.
judge-unseen = Nobody looked whose mail it is: this house asks no DNS, or the message is taken to come from this machine.
judge-no-message = Paste a message, or choose a file.
judge-too-large = The message is larger than { $most } MB.
judge-no-hop = There is no such line: it has { $hops ->
    [0] no Received line
    [one] one Received line
   *[other] { $hops } Received lines
}.
judge-bad-hop = Write a number, like 1.
judge-bad-peer = This is no IP address.
judge-no-peer = No Received line tells the address: say it here.
judge-bad-sender = This is no address.
judge-no-sender = The message has no Return-Path: say MAIL FROM here.
judge-gone = This message is here no more, or was never judged.
judge-no-reception = This house takes no mail in.
judge-slow = It took too long to find out. Try again in a moment.
