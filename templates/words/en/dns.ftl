# DNS records and checks: what each is for, how it came out, why, and what to do (-advice).
dns-verdict-good = Good
dns-verdict-better = Could be better
dns-verdict-unknown = Can’t tell yet
dns-verdict-wrong = Wrong
dns-need-must = Needed
dns-need-should = Recommended
dns-need-nice = Nice to have
dns-proof-secure = Proven by DNSSEC
dns-proof-insecure = Not signed
dns-proof-bogus = Signature is wrong
dns-proof-unknown = Not proven
dns-purpose-host-address = Address of this server
dns-purpose-reverse-name = Name of this server’s address
dns-purpose-mx = Mail comes here
dns-purpose-spf = Who may send (SPF)
dns-purpose-host-spf = This server’s own notices (SPF)
dns-purpose-dkim = Key for signatures (DKIM)
dns-purpose-dmarc = What others do with forgeries (DMARC)
dns-purpose-mta-sts = Encryption is promised (MTA-STS)
dns-purpose-mta-sts-host = Where that promise is read (MTA-STS)
dns-purpose-tls-reports = Reports on encryption (TLS-RPT)
dns-purpose-dane = Certificate of port 25 (DANE)
dns-purpose-service = Mail programs find the server
dns-purpose-autoconfig = Set-up of Thunderbird and others
dns-purpose-autodiscover = Set-up of Outlook
dns-purpose-issuer = Who may issue certificates (CAA)
dns-check-reverse-confirmed = Address and name lead to each other
dns-check-spf-result = What receivers make of SPF
dns-check-wildcards = Names that nobody made
dns-check-dnssec = DNSSEC
dns-check-port-in = Port 25, as others see it
dns-check-port-out = Port 25 outward
dns-check-policy-file = The promise of encryption, as others read it
dns-check-blocklist = Blocklists

dns-good = All is as it should be.
dns-good-advice = Nothing need be done.
dns-missing = This record is missing.
dns-missing-advice = Publish it as it stands beside this.
dns-servfail = The name servers answer with an error (SERVFAIL).
dns-servfail-advice = Look for a fault in the zone at your DNS provider; if you changed nothing there, wait a few minutes and check again.
dns-refused = The name servers refuse to answer for this name.
dns-refused-advice = The name servers that the registry names must serve the zone: check them at your registrar and at your DNS provider.
dns-timeout = The name servers did not answer in time.
dns-timeout-advice = Check again in a few minutes. If it stays so, ask your DNS provider.
dns-bogus = The signature of this answer is wrong (DNSSEC): those who check it see nothing at all.
dns-bogus-advice = At your registrar, the DS record must fit the zone’s keys. Have your DNS provider sign the zone anew, or take the DS record out at the registrar.
dns-broken = The DNS could not be asked.
dns-broken-advice = Look whether this machine reaches its resolver, then check again.
dns-spreading = Your name servers have it right; the rest of the world still keeps the old. { $minutes ->
    [one] This passes within a minute.
   *[other] This passes within { $minutes } minutes.
}
dns-spreading-advice = { $minutes ->
    [one] Wait a minute, then check again. Nothing need be changed.
   *[other] Wait up to { $minutes } minutes, then check again. Nothing need be changed.
}
dns-spreading-soon = Your name servers have it right; the rest of the world still remembers that it was missing.
dns-spreading-soon-advice = Wait; it passes within an hour or two. Nothing need be changed.
dns-fading = The rest of the world still sees it right, but your name servers have it no more. { $minutes ->
    [one] In a minute it is gone everywhere.
   *[other] In { $minutes } minutes it is gone everywhere.
}
dns-fading-advice = Put it back at your DNS provider before { $minutes ->
    [one] a minute is
   *[other] { $minutes } minutes are
} over.
dns-servers-differ = Your name servers contradict each other: { $server } says something else than the others.
dns-servers-differ-advice = If you have just changed the zone, wait until all servers have it. Otherwise tell your DNS provider that { $server } lags behind.
dns-server-silent = One of your name servers, { $server }, has no answer; the others do.
dns-server-silent-advice = Ask your DNS provider about { $server }, or take it out of the list at your registrar.
dns-ttl-long = Others keep this record for { $hours } hours: each later change takes as long.
dns-ttl-long-advice = Set its TTL to 3600 (an hour).
dns-slow = The answer took { $millis } milliseconds; some receivers don’t wait that long.
dns-slow-advice = Check again. If it stays slow, ask your DNS provider, or look at this machine’s resolver.
dns-doubled = { $count } such records stand here, and only one may: others then pass over all of them.
dns-doubled-advice = Remove them all but one, and give that one the value that stands beside this.
dns-wrong-host = It leads elsewhere: { $found }.
dns-wrong-host-advice = Replace it by the one that stands beside this.
dns-other-addresses = It leads here, but also elsewhere: { $found }. Part of the mail goes there.
dns-other-addresses-advice = Remove the others; or, if they are addresses of this server, add them to its settings.
dns-alias-host = The server’s name is only an alias (CNAME) of { $target }; mail must not be led to an alias.
dns-alias-host-advice = Remove the CNAME, and publish the addresses that stand beside this.
dns-alias-domain = The domain is only an alias (CNAME) of { $target }, so it can’t have records of its own: no MX, no SPF.
dns-alias-domain-advice = Replace the CNAME by A and AAAA records with the addresses that it leads to.
dns-reverse-missing = The address bears no name. Many receivers refuse mail for that.
dns-reverse-missing-advice = Set the address’s reverse name (PTR) where you rent the server, usually in its network settings; your DNS provider can’t.
dns-reverse-wrong = The address bears another name: { $found }. Many receivers refuse mail for that.
dns-reverse-wrong-advice = Set the address’s reverse name (PTR) where you rent the server, usually in its network settings; your DNS provider can’t.
dns-reverse-several = The address bears { $count } names; some receivers look at one of them only.
dns-reverse-several-advice = Keep the one that stands beside this, where you rent the server.
dns-reverse-open = The address bears the name { $name }, but that name doesn’t lead back to it. Many receivers refuse mail for that.
dns-reverse-open-advice = Either publish the address at { $name }, or set the reverse name, where you rent the server, to this server’s name.
dns-null-mx = The domain says that it takes no mail at all (a “null MX”): it was parked.
dns-null-mx-advice = Remove that MX record, and publish the one that stands beside this.
dns-null-mx-beside = Beside its hosts, the domain says that it takes no mail at all (a “null MX”).
dns-null-mx-beside-advice = Remove the MX record whose host is a single dot.
dns-mx-address = The MX record names an address, { $found }; it must name a host.
dns-mx-address-advice = Replace it by the one that stands beside this.
dns-mx-elsewhere = The domain’s mail goes elsewhere: { $found }.
dns-mx-elsewhere-advice = When you want the mail to come here, replace those MX records by the one that stands beside this.
dns-mx-others-first = Mail goes to others first: { $found }. What they take never comes here.
dns-mx-others-first-advice = Remove their MX records, or give them a higher number than ours if they hold mail for this server.
dns-mx-others = Where this server doesn’t answer, mail goes to { $found }.
dns-mx-others-advice = If those hosts don’t pass mail on to this server, remove their MX records: what they take would be lost to you.
dns-spf-malformed = Receivers can’t read “{ $term }” in the SPF record, and pass over all of it.
dns-spf-malformed-advice = Correct it, or publish the record that stands beside this.
dns-spf-misspelt = A record means to be SPF and isn’t: “{ $found }”. It must begin with “v=spf1” and a space.
dns-spf-misspelt-advice = Replace it by the one that stands beside this.
dns-spf-open = The SPF record lets everybody send in the domain’s name (“+all”).
dns-spf-open-advice = Publish the record that stands beside this, with “~all” or “-all” as its end.
dns-spf-no-all = The SPF record doesn’t say what to think of all others.
dns-spf-no-all-advice = Add “~all” as its end.
dns-spf-unreached = “{ $term }” stands behind “all”, where nobody reads it.
dns-spf-unreached-advice = Put it before “all”.
dns-spf-ptr = The SPF record uses “ptr”, which is slow, and which some receivers pass over.
dns-spf-ptr-advice = Name the servers by “a:”, “ip4:” or “ip6:” instead.
dns-spf-fails = Receivers would not let mail from { $address } pass: the SPF record says “{ $result }”.
dns-spf-fails-advice = Publish the SPF record that stands beside this: it lets this server send, and keeps what was there.
dns-spf-lookups = The SPF record needs { $count } look-ups, and only 10 are allowed: receivers then pass over all of it.
dns-spf-lookups-advice = Remove “include:” of services that no longer send for you, or replace names by addresses (“ip4:”, “ip6:”).
dns-spf-voids = { $count } names in the SPF record lead to nothing, and only 2 may: receivers then pass over all of it.
dns-spf-voids-advice = Remove the names that no longer exist.
dns-spf-broken = The SPF record can’t be followed: at { $culprit } something is missing or can’t be read.
dns-spf-broken-advice = Remove or correct what leads to { $culprit }.
dns-spf-later = The SPF record could not be followed: { $culprit } has not answered.
dns-spf-later-advice = Check again in a few minutes.
dns-dkim-truncated = The key was cut off: { $have } of { $want } characters are there. No signature can be checked with it.
dns-dkim-truncated-advice = Your provider’s form takes too few characters at once: enter the value split into strings of 255, as it is offered beside this.
dns-dkim-malformed = Receivers can’t read the key: “{ $culprit }” is missing or wrong.
dns-dkim-malformed-advice = Replace it by the one that stands beside this; mind that nothing is lost in copying.
dns-dkim-other = Another key stands here than the one that this server signs with.
dns-dkim-other-advice = Replace it by the one that stands beside this. If another service signs with the old one, make this server a key with another name.
dns-dkim-revoked = The record says that the key was withdrawn.
dns-dkim-revoked-advice = Replace it by the one that stands beside this.
dns-dkim-testing = The record says that signatures are only being tried out (“t=y”).
dns-dkim-testing-advice = Take “t=y” out.
dns-dmarc-malformed = Receivers can’t read the DMARC record: “{ $culprit }” is missing or wrong.
dns-dmarc-malformed-advice = Replace it by the one that stands beside this.
dns-dmarc-weak = The DMARC record asks for “{ $found }”; you want “{ $wanted }”.
dns-dmarc-weak-advice = Once the reports show that all your mail passes, publish the record that stands beside this.
dns-dmarc-percent = The DMARC record is for { $percent } of 100 forged messages only (“pct=”).
dns-dmarc-percent-advice = Once the reports show that all your mail passes, publish the record that stands beside this.
dns-dmarc-no-reports = Nobody gets reports of forged mail.
dns-dmarc-no-reports-advice = Add the “rua=” that stands beside this.
dns-sts-malformed = The record’s “id=” is missing or has other characters than letters and digits: senders pass over it.
dns-sts-malformed-advice = Replace it by the one that stands beside this.
dns-sts-id-old = The record names version { $found } of the policy, and now it is { $wanted }: senders don’t notice the change.
dns-sts-id-old-advice = Publish the record that stands beside this.
dns-tls-reports-malformed = The record names nobody whom reports could be sent to.
dns-tls-reports-malformed-advice = Replace it by the one that stands beside this.
dns-tlsa-stale = No TLSA record fits the key that this server shows: senders that check it send nothing any more.
dns-tlsa-stale-advice = Publish the records that stand beside this at once, or remove those that are there.
dns-tlsa-coming = The key that this server uses next isn’t published yet.
dns-tlsa-coming-advice = Publish it beside the present one, before the certificate is renewed.
dns-tlsa-unproven = The TLSA record isn’t proven by DNSSEC: nobody looks at it.
dns-tlsa-unproven-advice = Have the server’s zone signed by your DNS provider.
dns-srv-off = The record says that the domain has no such service.
dns-srv-off-advice = Replace it by the one that stands beside this.
dns-srv-port = The record names port { $found }; it is { $wanted }.
dns-srv-port-advice = Replace it by the one that stands beside this.
dns-caa-forbids = Only these may issue certificates for the domain: { $found }. The authority that this server uses is not among them.
dns-caa-forbids-advice = Publish the record that stands beside this, in addition to those that are there.
dns-wildcard = Names that nobody made have records: { $found }. A missing record then looks as if it were there, with a wrong value.
dns-wildcard-advice = Remove the wildcard, or make the names that you use one by one.
dns-unsigned = The zone isn’t signed (DNSSEC): who controls the network on the way can change these records.
dns-unsigned-advice = If your DNS provider and your registrar can do it, have the zone signed. It is one click with many.
dns-unproven-here = This machine’s resolver doesn’t show signatures, so nothing can be said of DNSSEC.
dns-unproven-here-advice = Let this machine use a resolver that knows DNSSEC, such as unbound on the machine itself.
dns-smtp-refused = Nobody listens at port 25 of { $address }.
dns-smtp-refused-advice = Look whether this server’s port 25 is open, and whether a firewall or router leads it here.
dns-smtp-timeout = Nobody answers at port 25 of { $address }, at least not to this server itself.
dns-smtp-timeout-advice = If the server stands behind a router, send it a message from elsewhere to be sure. Otherwise open port 25 in the firewall, or ask where you rent the server.
dns-smtp-strange = What answers at port 25 isn’t a mail server: “{ $found }”.
dns-smtp-strange-advice = Look which program or device has port 25 at that address.
dns-smtp-other-host = Another server answers at port 25: { $found }.
dns-smtp-other-host-advice = Look which machine the address leads to, or which program has port 25 here.
dns-smtp-no-starttls = The server at port 25 offers no encryption (STARTTLS).
dns-smtp-no-starttls-advice = Look for a firewall that filters mail: some hide STARTTLS. Turn that off.
dns-smtp-tls-failed = The encrypted connection to port 25 fails: { $error }.
dns-smtp-tls-failed-advice = Look at the server’s certificate, and for a firewall that filters mail.
dns-smtp-names = The certificate at port 25 is for other names: { $found }.
dns-smtp-names-advice = Get a certificate for this server’s name, on the page of certificates.
dns-smtp-untrusted = Others don’t trust the certificate at port 25: { $error }.
dns-smtp-untrusted-advice = Get a certificate from an authority, on the page of certificates.
dns-policy-elsewhere = This wasn’t tried, for the policy’s name doesn’t lead to this server yet.
dns-policy-elsewhere-advice = First mend the record for the policy’s name.
dns-policy-unreachable = The policy can’t be fetched: { $error }.
dns-policy-unreachable-advice = Look whether port 443 is open and leads to this server.
dns-policy-certificate = The policy can’t be fetched, for its name has no good certificate: { $error }.
dns-policy-certificate-advice = Get a certificate for the name, on the page of certificates.
dns-policy-status = The policy can’t be fetched: the web server answers { $status }, and only 200 counts.
dns-policy-status-advice = Look which web server has port 443 at that name; it must be this one, without a redirect.
dns-policy-malformed = What is fetched is no policy: “{ $culprit }” is missing or wrong.
dns-policy-malformed-advice = Look which web server has port 443 at that name; it must be this one.
dns-policy-differs = The policy that is fetched is an older or another one.
dns-policy-differs-advice = Look whether a cache or another server stands before this one.
dns-policy-lacks-us = The policy that is fetched doesn’t name this server: senders that keep it send nothing here.
dns-policy-lacks-us-advice = Look which web server has port 443 at that name, and correct its policy at once.
dns-outbound-blocked = No mail server could be reached at port 25: no mail can be sent from here.
dns-outbound-blocked-advice = Most who rent out servers block it until you ask: ask them to open port 25 outward, or send through a relay host.
dns-outbound-unknown = No mail server could be looked up to try port 25.
dns-outbound-unknown-advice = Look whether this machine reaches its resolver, then check again.
dns-listed = The list { $list } warns of this address (code { $code }): many will refuse its mail.
dns-listed-advice = Look the address up on the list’s own page, mend the cause, then ask to be taken off.
dns-list-unusable = The list { $list } doesn’t answer this machine’s resolver, so nothing can be said.
dns-list-unusable-advice = Lists don’t serve large public resolvers. With a resolver of its own, such as unbound, this machine could ask.

# Checking, pushing, and telling the owners.
dns-hindrance-no-network = This house does not look at the DNS.
dns-hindrance-no-address = No public address of this host is known: name it in the settings, under DNS.
dns-account-unknown = There is no such account.
dns-account-unknown-provider = This provider is not known here.
dns-account-too-many = There are { $most } accounts already, as many as there may be.
dns-push-changed = It would be something else by now: look at it again. Nothing was written.
dns-push-no-zone = None of the accounts has the zone of this name. Add the account of whoever serves it.
dns-push-unknown = There is no such push, or it was long ago.
dns-push-undone = It was undone already.
dns-push-no-account = The account is gone by which it was written.
dns-undo-incomplete = Not all of it could be put back. Look at what stands there now.
dns-mail-subject = The DNS of { $name } has turned for the worse
dns-mail-begin = A check of the DNS found what was better before:
dns-mail-end = What stands there, what should, and how to mend it: { $link }
dns-push-no-policy = The policy of a domain becomes quarantine or reject.
dns-push-no-dmarc = No DMARC record of this domain was found in the DNS just now. Set it as the DNS page has it first.
