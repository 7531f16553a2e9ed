# The queue's pages.
queue-page-lead = Mail that is still to be handed to other servers. Relais tries again by itself; look here when something takes long.
queue-page-waiting = Waiting
queue-page-held = Held
queue-page-claimed = Being sent
queue-page-destinations = By destination
queue-page-rest = All other destinations
queue-page-oldest = The oldest came
queue-page-search = Search addresses and replies
queue-page-state = State
queue-page-any = Any
queue-page-destination = Destination
queue-page-sender = Sender
queue-page-filter = Filter
queue-page-unfilter = Show all
queue-page-none = Nothing waits
queue-page-none-why = All mail has been handed on. What is on its way to other servers stands here until they have taken it.
queue-page-to-messages = Where is my mail?
queue-page-no-match = Nothing that waits looks like this
queue-page-no-match-why = Another filter may find it. What has been delivered or given up is under Messages.
queue-page-choose-all = All on this page
queue-page-choose = Choose
queue-page-whom = To what the act is done
queue-page-chosen = The chosen rows
queue-page-matching = { $count ->
    [one] The 1 that this list finds
   *[other] All { $count } that this list finds
}
queue-page-retry = Try now
queue-page-hold = Hold
queue-page-release = Release
queue-page-remove = Remove
queue-page-caption = Recipients that wait
queue-page-recipient = Recipient
queue-page-came = Came
queue-page-next = Next try
queue-page-due = Due now
queue-page-reply = Last reply
queue-page-from = from
queue-page-not-tried = Not tried yet
queue-page-none-chosen = Nothing was chosen. Tick the rows first, or choose all that the list finds.
queue-page-untouched = Nothing was changed: none of it was in a state for that, or it has gone meanwhile.
queue-page-retried = { $count ->
    [one] 1 recipient is tried now.
   *[other] { $count } recipients are tried now.
}
queue-page-was-held = { $count ->
    [one] 1 recipient is held until you release it.
   *[other] { $count } recipients are held until you release them.
}
queue-page-released = { $count ->
    [one] 1 recipient goes on now.
   *[other] { $count } recipients go on now.
}
queue-page-removed = { $count ->
    [one] 1 recipient was removed.
   *[other] { $count } recipients were removed.
}
queue-page-remove-title = { $count ->
    [one] Remove 1 entry from the queue?
   *[other] Remove { $count } entries from the queue?
}
queue-page-remove-text = This mail will not be delivered, and its senders are not told. It cannot be undone.
queue-page-goes-recipient = Mail to { $recipient }
queue-page-goes-message = Message { $id }, to all its recipients that still wait
queue-page-and-more = { $count ->
    [one] and 1 more
   *[other] and { $count } more
}
queue-page-goes-all = The whole queue
queue-page-goes-state = In the state: { $value }
queue-page-goes-destination = To addresses of { $value }
queue-page-goes-sender = From { $value }
queue-page-goes-words = With “{ $value }” in an address or the last reply
queue-page-story = The whole story
queue-page-recipients = Recipients
queue-page-tries = Tries
queue-page-attempts = What was tried
queue-page-facts = Facts
queue-page-size = Size
queue-page-expires = Given up
queue-page-id = Id, as it stands in Received

# What would become of mail to a destination.
destination-page-title = What would we do?
destination-page-lead = Where mail to a destination would go now, and which protection it must find there. The DNS is asked; nothing is sent.
destination-page-whom = Domain or address
destination-page-whom-help = For example example.org.
destination-page-look = Look
destination-page-hosts = Hosts, in the order in which they are tried
destination-page-host = Host
destination-page-demand = What it must show
destination-page-proof = DNSSEC
destination-page-records = DANE records
destination-page-proved = Proved
destination-page-unproved = Not proved
destination-page-unused = Not used
destination-page-dane = TLS, by DANE
destination-page-sts = TLS, by MTA-STS
destination-page-tls = TLS
destination-page-clear = In the clear
destination-page-maybe = TLS if it works
destination-page-no-records = None that count
destination-page-sts-failed = An MTA-STS policy is announced that could not be fetched
destination-page-policy = The MTA-STS policy
destination-page-policy-hosts = Hosts that it names
destination-page-policy-id = Its id
destination-page-policy-fetched = Fetched
destination-page-policy-ends = Ends
destination-page-no-policy = The domain has no MTA-STS policy.
