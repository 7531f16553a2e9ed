# Security.
security-page-lead = Who tries to sign in and is refused, at all doors: mail programs, browsers, scripts.
security-page-quiet = All is quiet: no log-in has failed in the last 24 hours.
security-page-calm = Nobody is banned. { $failed ->
    [one] 1 log-in has
   *[other] { $failed } log-ins have
} failed in the last 24 hours, which is usual: everybody mistypes, and machines try every server.
security-page-at-work = { $bans ->
    [one] 1 ban is
   *[other] { $bans } bans are
} in force and will end by themselves. { $failed ->
    [one] 1 log-in has
   *[other] { $failed } log-ins have
} failed in the last 24 hours. Nothing need be done.
security-page-bans = Bans
security-page-bans-lead = After too many failures Relais refuses more tries for a while. Lift a ban where one of your own people is shut out, or a host whose mail you want.
security-page-strangers = Everybody who is not known here
security-page-kind-name = A name, from wherever it is not known
security-page-kind-network = A network, for all names
security-page-kind-door = A network, at port 25
security-page-kind-everybody = So many failed at once that strangers wait
security-page-whom = Who
security-page-failures = Failures
security-page-why = Why
security-page-why-log-ins = Refused log-ins
security-page-why-unknown-recipients = Recipients whom nobody here is
security-page-why-relaying = Attempts to relay
security-page-why-protocol = Commands that are none
security-page-since = Since
security-page-until = Ends
security-page-lift = Lift
security-page-lifted = { $whom } may try again.
security-page-day = In the last 24 hours
security-page-by-ip = Refused by network address
security-page-by-name = Refused by name
security-page-refused = Refused log-ins
security-page-none = No log-in has been refused.
security-page-name = Name that was given
security-page-unknown = Nobody here has this name
security-page-door = Door
security-page-door-imap = IMAP
security-page-door-pop3 = POP3
security-page-door-smtp = SMTP
security-page-door-web = Browser
security-page-door-api = API
security-page-ip = From
security-page-times = Times
security-page-at = Last
security-page-sessions = Open sessions
security-page-sessions-text = Where somebody is signed in stands on their own page, and can be ended there.
security-page-to-people = To the people
security-page-app-passwords = Second factors and app passwords
security-page-app-passwords-text = Mail programs know no second factor. Whoever has one on makes an app password for each program, on their own page; their own password is then refused at IMAP, POP3 and SMTP.
