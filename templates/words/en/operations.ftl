# The overview: is everything well?
overview-ok = Everything is well.
overview-attention = Mail flows, but something asks for your attention.
overview-trouble = There is trouble: mail suffers until someone acts.
overview-failed-logins = { $count ->
    [one] One log-in was
   *[other] { $count } log-ins were
} refused within the last hour. Look under Security at who tries.
overview-queue-large = { $count ->
    [one] One recipient waits
   *[other] { $count } recipients wait
} in the queue. Look at the destinations with the most, and at what they say.
overview-queue-old = A message has waited in the queue for { $hours ->
    [one] an hour
   *[other] { $hours } hours
}. Look at what the other host says.
overview-todo-first-domain = Add your first domain: the part of the addresses behind the @.
overview-todo-empty-domain = { $domain } has nobody yet. Add its people, or an address that takes all.
overview-todo-certificate = The certificate is made by this house itself, and programs of people will warn of it. Put in one that is known.
overview-todo-dns = Records of { $domain } are wrong in the DNS: mail is lost, refused or taken for junk, or will be. See what to mend.
overview-todo-dns-host = Records of this host are wrong in the DNS: mail is lost, refused or taken for junk, or will be. See what to mend.
overview-todo-first-phone = No phone or program fetches your mail yet. Set up the first one.
overview-todo-second-factor = Your account manages this house with a password alone. Add a passkey or a code.
overview-todo-second-factor-of = { $address } owns this house with a password alone. Ask them for a passkey or a code; a setting can make everybody who manages have one.

# The machine.
system-database-well = The database answers.
system-database-ill = The database does not answer: no mail can be read or taken. Look at the log.
system-writer-well = What comes is written.
system-writer-ill = The database takes no changes: no mail can be taken. Look at the log and at the room on the disk.
system-disk-well = There is room on the disk.
system-disk-ill = The disk is nearly full: new mail is put off. Make room, or give the house a larger disk.
system-delivery-well = Mail to other hosts goes out.
system-delivery-ill = Mail to other hosts stays in the queue: this house was started without delivery.
system-certificates-well = All certificates last.
system-certificates-ill = A certificate ends soon, or has ended. Put in a new one.
system-filters-well = All filters answer.
system-filters-ill = A filter does not answer: by its setting, mail is put off or taken unseen. Look below, and start it again.

# The queue.
queue-absent = Nothing of { $id } is in the queue. It may have been delivered meanwhile.
queue-too-many-items = Choose between one and { $most } messages.
queue-chosen-either = Say either “items” or “matching”: which messages are meant.
queue-no-item = One of these is no message of the queue.
queue-no-state = A state is waiting, held or claimed.

# Messages.
message-absent = Nothing is known of { $id }. It may be too long ago.
message-no-id = “{ $text }” is not an id. An id stands in the Received line behind “id”.
message-no-kind = That is none of the things that can happen to a message.
message-delivered-to-all = { $count ->
    [one] Delivered.
   *[other] Delivered to all { $count } recipients.
}
message-delivered-to = { $all ->
    [one] Not delivered.
   *[other] Delivered to { $count } of { $all }.
}
message-waiting = { $count ->
    [one] One is waiting
   *[other] { $count } are waiting
}, next try in { $minutes ->
    [one] a minute
   *[other] { $minutes } minutes
}.
message-held = { $count ->
    [one] One is held: someone stopped it.
   *[other] { $count } are held: someone stopped them.
}
message-failed = { $count ->
    [one] One failed.
   *[other] { $count } failed.
}
message-refused = It was refused when it came, and is nowhere here.
message-removed = { $count ->
    [one] One was taken out of the queue.
   *[other] { $count } were taken out of the queue.
}

# Webhooks.
webhook-absent = There is no webhook { $id }.
webhook-no-event = The event { $id } is no longer remembered.
webhook-too-many = There are as many webhooks as there may be. Remove one first.
webhook-no-url = That is not a URL. It looks like https://example.org/hook.
webhook-url-too-long = The URL is too long.
webhook-url-with-secrets = The URL must hold no name, no password and no #.
webhook-no-https = The URL must begin with https://.
webhook-internal = { $address } is an address inside, and webhooks only reach the public internet. An owner can allow its network in the settings.
webhook-unknown-event = There is no event { $event }.
webhook-no-events = Choose at least one event.
webhook-description-unfit = The description must be one line of at most 200 characters.
webhook-needs-domain = Choose the domain whose events are told.
webhook-taken = It was taken ({ $status }).
webhook-refused = It was not taken: the other side answered { $status }. It must answer with a status from 200 to 299.
webhook-redirected = It was not taken: the other side answered { $status } and points elsewhere, where we do not follow. Use the final URL.
webhook-unresolved = It was not taken: the name was not found. Check how it is spelled.
webhook-no-connection = It was not taken: nobody answers there. Check host and port.
webhook-no-tls = It was not taken: the other side's certificate cannot be trusted, or it speaks no TLS.
webhook-timeout = It was not taken: there was no answer within 10 seconds. Answer first, work afterwards.
webhook-broken = It was not taken: what came back is no answer of a web server.

# Security.
security-no-ban = Nothing of { $whom } is refused now. The ban may have ended meanwhile.

# What would become of mail to a destination.
destination-no-delivery = This server hands no mail to others, so there is nothing to foretell.
destination-slow = The DNS took too long to answer. Ask again in a moment.
destination-protected = Mail to { $domain } goes over TLS or not at all: every host that may take it must show it.
destination-protected-relay = Mail to { $domain } goes through { $relay }, over TLS or not at all.
destination-open = Mail to { $domain } goes over TLS where that works, and in the clear where it doesn't: nothing asks for more.
destination-open-relay = Mail to { $domain } goes through { $relay }, and need not be encrypted on the way there.
destination-held = Mail to { $domain } would wait now: no host can be used. It is tried again until it expires.
destination-returned = Mail to { $domain } would come back at once.
destination-dane = DANE: TLS, with a certificate that its TLSA records name.
destination-dane-unusable = TLS, with any certificate: it has TLSA records, but none of them can be used.
destination-sts = MTA-STS: TLS, with a certificate for its name from an authority that we know.
destination-sts-testing = MTA-STS, which the domain only tests: TLS where it works; failures are reported.
destination-sts-testing-unnamed = MTA-STS, which the domain only tests: its policy doesn't name this host. TLS where it works; the failure is reported.
destination-required = TLS, with a certificate for its name from an authority that we know: the configuration asks for it.
destination-opportunistic = No policy: TLS where it works, with any certificate; in the clear else.
destination-clear = In the clear, as the configuration says.
destination-refused = Not used: mail would wait rather than go there.
destination-mode-enforce = The domain enforces it: mail goes to no other host, and to none without a good certificate.
destination-mode-testing = The domain only tests it: what fails is reported, and mail goes all the same.
destination-mode-none = The domain has withdrawn it: it asks nothing.
