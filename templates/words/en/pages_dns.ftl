# The pages of the DNS: lists, checklists, provider accounts, what was pushed.
dns-page-title = DNS records
dns-page-lead = What each domain must say in the DNS so that its mail arrives and is believed, and whether it does.
dns-page-host = This server
dns-page-host-lead = Address and name of this server, port 25, blocklists: all domains stand on these.
dns-page-domains = Domains
dns-page-domain = Domain
dns-page-records = Records
dns-page-receipts = What was changed
dns-page-accounts = Provider accounts
dns-page-none = No domain yet
dns-page-none-why = Once a domain is here, its records are listed and checked.
dns-page-checked = Last checked
dns-page-never = Never checked
dns-page-never-why = The records wanted stand below; a check tells which of them are there.
dns-page-running = Being checked: the servers of the zone and the rest of the world are asked. This takes up to a minute.
dns-page-running-reload = Look again
dns-page-check = Check now
dns-page-check-begun = The check has begun.
dns-page-check-rests = It was checked a moment ago: this is what was found.
dns-page-zone-file = Zone file
dns-page-push = Set at the provider
dns-page-to-domain = The domain’s settings
dns-page-dnssec = DNSSEC
dns-page-further = Further checks
dns-page-further-lead = What others see when they follow the records.
dns-page-must-lead = Without these, mail doesn’t arrive, or is refused by many.
dns-page-should-lead = With these, mail is believed, and travels encrypted.
dns-page-nice-lead = These make set-up easier, and close the last gaps.
dns-page-form = For your provider’s form
dns-page-form-lead = Forms differ. If yours refuses a name or a text, take the other way to write it.
dns-page-names = Names
dns-page-names-within = without the domain
dns-page-names-whole = whole
dns-page-texts = Long texts
dns-page-texts-joined = in one piece
dns-page-texts-split = in quoted pieces
dns-page-wanted = What should stand there
dns-page-found = What stands there
dns-page-found-nothing = Nothing.
dns-page-surplus = What must go
dns-page-fields-name = Name
dns-page-fields-type = Type
dns-page-fields-priority = Priority
dns-page-fields-ttl = TTL (seconds)
dns-page-fields-value = Value
dns-page-copy-name = Copy the name
dns-page-copy-value = Copy the value
dns-page-what-to-do = What to do

dns-why-host-address = Others find this server by it: each domain’s mail is led to this name.
dns-why-reverse-name = Receivers ask who stands behind the address that mail comes from, and distrust one without a name.
dns-why-mx = It tells everybody that the domain’s mail is to be brought to this server.
dns-why-spf = It names the servers that may send in the domain’s name; others are forging it.
dns-why-host-spf = Notices of this server itself bear its own name, and need leave to send, too.
dns-why-dkim = With it receivers prove that a message is the domain’s, and that nobody changed it on the way.
dns-why-dmarc = It tells receivers what to do with mail that only pretends to be from the domain, and where to report it.
dns-why-mta-sts = Senders that have read it bring mail over an encrypted connection only.
dns-why-mta-sts-host = Senders fetch the promise of encryption from this name over HTTPS.
dns-why-tls-reports = Senders report here when an encrypted connection to this server fails.
dns-why-dane = It says in the signed DNS which key port 25 shows, so that nobody can stand between.
dns-why-service = Mail programs find servers and ports by it; nobody need type them.
dns-why-autoconfig = Thunderbird and others fetch their set-up from this name.
dns-why-autodiscover = Outlook fetches its set-up from this name.
dns-why-issuer = Only the authorities that it names may issue certificates for the domain.
dns-why-reverse-confirmed = Receivers follow the address to its name, and the name back to the address.
dns-why-spf-result = The SPF record is followed as receivers follow it, for each address of this server.
dns-why-wildcards = A record for “any name” hides what is missing, and leads mail astray.
dns-why-dnssec = Signatures in the zone let receivers see whether somebody forged the answers.
dns-why-port-in = This server is met at port 25 as other mail servers meet it.
dns-why-port-out = Mail leaves through port 25 of others; many who rent out servers block it.
dns-why-policy-file = The promise of encryption is fetched as senders fetch it.
dns-why-blocklist = Receivers ask these lists whether an address is known for junk.

dns-accounts-lead = With a key of your DNS provider, Relais sets the records itself: shown before, undone if you want.
dns-accounts-none = No account yet
dns-accounts-none-why = You can always copy records by hand. With an account at one of these providers, Relais sets them for you.
dns-accounts-add = Add an account
dns-accounts-add-lead = Make a key for Relais alone at your provider, with as few rights as it can have. It is kept sealed and never shown again.
dns-accounts-provider = Provider
dns-accounts-provider-choose = Which provider serves the zone?
dns-accounts-name = Name
dns-accounts-name-help = For you, to tell accounts apart.
dns-accounts-other = Another provider
dns-accounts-added = The account { $name } is added.
dns-accounts-made = Added
dns-accounts-remove = Remove
dns-accounts-remove-title = Remove the account { $name }?
dns-accounts-remove-text = Relais forgets its key and can’t set or undo records there any more. The records stay as they are.
dns-accounts-goes-key = The key for { $provider }
dns-accounts-goes-undo = The way to undo what was changed with it
dns-accounts-removed = The account { $name } is removed. Withdraw its key at the provider, too.

dns-push-title = Set the records of { $domain }
dns-push-lead = First see what would change. Nothing is done before you say so.
dns-push-account = Account
dns-push-preview = Show what would change
dns-push-none = No provider account yet
dns-push-none-why = Add one first; or copy the records by hand.
dns-push-changes = What would change
dns-push-zone = In the zone { $zone }, at { $account }
dns-push-nothing = Nothing would change
dns-push-nothing-why = All that is wanted stands at the provider already. If a check still says otherwise, the rest of the world needs some time.
dns-push-obstacles = What can’t be set there
dns-push-added = comes
dns-push-removed = goes
dns-push-kept = stays
dns-push-ttl = TTL { $before } becomes { $after } seconds
dns-push-do = { $count ->
    [one] Make this change
   *[other] Make these { $count } changes
}
dns-push-failed = The provider could not be asked
dns-push-stale = The preview is too old, or the zone has changed since. Here is what would change now.

dns-receipts-lead = Each time that Relais changed a zone: what stood there before, what stands there since, and the way back.
dns-receipts-none = Nothing was changed yet
dns-receipts-none-why = When Relais sets records at your provider, it writes down here what stood there before.
dns-receipts-when = When
dns-receipts-by = By
dns-receipts-changes = Changes
dns-receipts-state = State
dns-receipt-title = Records of { $zone }
dns-receipt-complete = All of it stands
dns-receipt-partial = Not all of it was done
dns-receipt-undone = Undone
dns-receipt-complete-why = The zone was read again after the change: it says what was wanted. The rest of the world follows within the TTL.
dns-receipt-partial-why = The zone was read again after the change. Below stands what became of each.
dns-receipt-undone-why = What stood before was put back.
dns-receipt-undo = Undo
dns-receipt-undo-title = Put back what stood before?
dns-receipt-undo-text = The records of { $zone } become what they were before this change, to the letter. If somebody has changed one of them since, nothing is touched.
dns-receipt-account-gone = The account was removed, so this can’t be undone from here.
dns-fate-done = Done
dns-fate-untouched = Unchanged
dns-fate-otherwise = Something else stands there
dns-fate-unknown = Not known
dns-pushed = The zone is changed. The check of the domain has begun.
dns-pushed-partly = Not all of it was done: see below.
dns-undone = What stood before is back.
dns-page-any = Any verdict
dns-page-verdict = Verdict
dns-page-search = Search domains
dns-page-not-checked = Not checked
dns-page-is-running = being checked
dns-page-addresses = Addresses
dns-page-hindrance = No check can be made now
dns-page-apply = Write them so
dns-page-count-wrong = { $count ->
    [one] 1 thing is wrong
   *[other] { $count } things are wrong
}
dns-page-count-better = { $count ->
    [one] 1 thing could be better
   *[other] { $count } things could be better
}
dns-page-count-unknown = { $count ->
    [one] 1 answer is still owed
   *[other] { $count } answers are still owed
}
dns-push-choose = Choose at least one record.
dns-push-which = What is to be mended?
dns-push-unchecked = Check the records first
dns-push-unchecked-why = Only what a check has found wanting is set.
dns-push-good = Nothing need be set
dns-push-good-why = All that could be set at the provider stands there as it should.
dns-push-at = They are set with the account { $account }.
dns-receipt-absent-page = There is no such change: it may be older than what is kept.
dns-receipt-to-report = To the checklist
dns-accounts-no-provider = There is no such provider.
dns-accounts-zones = Zones
dns-accounts-domain = A domain at this provider
dns-accounts-domain-help = One of your domains here. The key is tried by looking for its zone; nothing is changed.
dns-accounts-key-kept = Leave it empty to keep the key that is there.
