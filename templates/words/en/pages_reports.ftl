# What others report of a domain: its page.
reports-page-title = Reports
reports-page-lead = What other servers say of mail with this domain’s name, and of TLS to it, in the last thirty days.
reports-page-none = No report yet
reports-page-none-asked = Others send a report a day once they had mail from you, mostly in the night. They are read by themselves from the mailbox that gets them, and stay there.
reports-page-none-unasked = Nobody is asked to report. Say in the settings who gets the reports (the postmaster is a good choice), then set the DNS records: what comes is read by itself and shown here.
reports-page-ask = Say who gets reports
reports-page-state-none = Nothing is known yet.
reports-page-state-well = All is well.
reports-page-state-look = Look at the senders below.
reports-page-from = { $reports ->
    [one] One report
   *[other] { $reports } reports
} from { $organizations ->
    [one] one organisation
   *[other] { $organizations } organisations
} on { $messages ->
    [one] one message
   *[other] { $messages } messages
}; of { $proved ->
    [one] one report
   *[other] { $proved } reports
} the sender is proved.
reports-page-chart = Mail by day
reports-page-day = Day
reports-page-aligned = Aligned
reports-page-unaligned = Not aligned
reports-page-forwarded = Forwarded
reports-page-step = The next step of the DMARC policy
reports-page-step-next = Ready for the next step
reports-page-step-done = Strictest policy
reports-page-step-wait = Too early to say
reports-page-step-mend = To be mended first
reports-page-record-name = Name of the TXT record
reports-page-record = Value
reports-page-setting = This server wants less so far, for all its domains; change that first:
reports-page-sources = Where it came from
reports-page-sources-lead = Servers that sent mail with this domain’s name, those without proof first.
reports-page-source = Server
reports-page-is = What it is
reports-page-messages = Messages
reports-page-proof = Aligned
reports-page-percent = { $percent } %
reports-page-own = This server
reports-page-others = All others
reports-page-quarantined = { $count } put into Junk
reports-page-rejected = { $count } refused
reports-page-tls = TLS to this server
reports-page-incidents = Complaints and failures
reports-page-incidents-lead = Reports on single messages.
reports-page-unread = { $count ->
    [one] One message looked like a report and could not be read, or was about no domain of this server.
   *[other] { $count } messages looked like reports and could not be read, or were about no domain of this server.
}
reports-page-unread-why = Of the last one:
reports-tls-result-success = As it should be
reports-tls-result-unspecified = Failed; it isn’t said why
reports-tls-result-starttls-not-supported = No TLS offered
reports-tls-result-certificate-host-mismatch = Certificate for other names
reports-tls-result-certificate-expired = Certificate has ended
reports-tls-result-certificate-not-trusted = Certificate not trusted
reports-tls-result-validation-failure = TLS failed
reports-tls-result-tlsa-invalid = DANE records don’t fit
reports-tls-result-dnssec-invalid = DNSSEC proof fails
reports-tls-result-dane-required = DANE wanted, and not there
reports-tls-result-sts-policy-fetch-error = MTA-STS policy could not be fetched
reports-tls-result-sts-policy-invalid = MTA-STS policy is wrong
reports-tls-result-sts-webpki-invalid = The policy’s server shows a wrong certificate
reports-incident-abuse = Reported as junk
reports-incident-auth-failure = Authentication failed
reports-incident-fraud = Fraud
reports-incident-not-spam = Reported as no junk
reports-incident-virus = Virus
reports-incident-other = Other
reports-page-relays = Lists and forwarders
reports-page-relays-lead = They pass your mail on and change it, so that nothing proves it any more. It counts neither for nor against: nothing is to be mended here.
reports-page-push = Show what would be set
