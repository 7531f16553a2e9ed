# My account › Junk, and rules about senders.
account-junk = Junk
junk-off = The house filters no junk
junk-off-why = What you teach is kept for the day it does.
junk-filter = Your filter
junk-learnt = It has learnt from { $junk ->
    [one] one message that you called junk
   *[other] { $junk } messages that you called junk
}, and from { $ham ->
    [one] one that you wanted
   *[other] { $ham } that you wanted
}. Move a message into Junk, or out of it, and it learns; so it does when you answer.
junk-known = By what you have read and kept it knows { $authors ->
    [one] one sender
   *[other] { $authors } senders
}, { $signers ->
    [one] one domain that signs
   *[other] { $signers } domains that sign
} and { $networks ->
    [one] one network
   *[other] { $networks } networks
}.
junk-forget = Forget all of it
junk-forgotten = Your filter begins anew.
junk-code = Waiting for a code?
junk-code-why = Hosts that look doubtful are asked to come again in two minutes. If you wait for a code, let everybody in at once for a quarter of an hour.
junk-code-begin = I wait for a code
junk-code-begun = For a quarter of an hour nobody is asked to come again.
junk-code-waits = Everybody is let in at once until
junk-code-end = It has come
junk-code-ended = Doubtful hosts are asked to come again.
sender-rules = Senders
sender-rules-none = Nobody is let in or kept out by name
sender-rules-why = The filter decides. Name a sender whose mail always goes to your inbox, or always into Junk.
sender-rule-sender = Sender
sender-rule-sender-help = An address, like ann@friend.example, or a domain with all below it, like news.example.
sender-rule-says = What happens
sender-rule-allow = Let in
sender-rule-block = Kept out
sender-rule-allow-long = Always into the inbox, unless the name is forged
sender-rule-block-long = Always into Junk
sender-rule-add = Name a sender
sender-rule-allowed = { $sender } is let in.
sender-rule-blocked = { $sender } is kept out.
sender-rule-removed = The filter decides about { $sender } again.
sender-rule-absent = There is no rule about { $sender }.
sender-rule-bad = This is neither an address nor a domain.
sender-rule-too-many = There are { $most } rules, and no more can be kept. Remove one first.
sender-rules-search = Find a sender
sender-rules-why-all = Each person’s filter decides. Name a sender whose mail always comes in, or is always refused; what a person says for themselves goes before it.
sender-rule-block-all = Always refused
sender-rules-of-domain = Who is always let in or refused for all people of this domain.
sender-rules-of-house = Who is always let in or refused for all people of this house.
