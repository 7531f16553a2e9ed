# My account.
account-title = My account
account-profile = Profile
account-password = Password
account-second = Two-step sign-in
account-passkeys = Passkeys
account-clients = Mail programs
account-app-passwords = App passwords
account-sessions = Sessions
account-log-ins = Log-ins
account-address = Address
account-storage = Storage
account-used-of = { $used } of { $quota }
account-name = Your name
account-name-help = As others see it.
account-language-browser = As the browser prefers
account-saved = Your account is saved.
account-unguarded = Only a password guards your account
account-unguarded-why = Whoever learns it can read your mail. A second step or a passkey closes that door.
copy = Copy
rename = Rename
remove = Remove
made = Made
never = Never
last-used = Last used
acts = Acts
device = Device or program
used-for = For
password-old = Present password
password-ends-sessions = Your other sessions end. Mail programs that use this password must be told the new one.
password-changed = Your password is changed.
second-factor-on = Two-step sign-in is on
second-factor-off = Two-step sign-in is off
second-factor-why = With it, signing in takes your password and a code from an app on your phone. Mail programs then use app passwords.
second-factor-begin = Set it up
second-factor-renew = New recovery codes
second-factor-remove = Turn it off
second-factor-remove-title = Turn off two-step sign-in?
second-factor-remove-text = From then on your password alone opens your account. This goes:
second-factor-remove-goes = the secret in your authenticator app
second-factor-remove-codes = your recovery codes
second-factor-removed = Two-step sign-in is off.
second-factor-codes-left = { $count ->
    [one] 1 recovery code is left.
   *[other] { $count } recovery codes are left.
}
second-factor-scan = Scan this with an authenticator app
second-factor-scan-help = Any app for one-time codes will do: those of your phone’s maker, of a password manager, or a free one such as Aegis.
second-factor-qr = The secret as a picture; it stands below as text
second-factor-type = Or type it in:
second-factor-open = Open it in an app on this device
second-factor-first-code = Code
second-factor-first-code-help = The six digits that the app shows now.
second-factor-confirm = Turn it on
recovery-title = Write these recovery codes down now
recovery-why = Each opens your account once, on the day your phone is lost. They are not shown again.
recovery-kept = I have kept them
passkeys-none = No passkeys yet
passkeys-why = A passkey is kept by your phone, computer or security key and signs you in without a password. It can’t be guessed or given away.
passkey-name = Name
passkey-name-help = So that you know it again, for example “Ann’s phone”.
passkey-add = Add a passkey
passkey-added = The passkey “{ $name }” is here.
passkey-renamed = It is called “{ $name }” now.
passkey-removed = The passkey is gone.
passkey-remove-title = Remove this passkey?
passkey-remove-text = It opens nothing here any more. Remove it in the device, too:
passkey-prove-first = First say again who you are.
passkey-needs-script = Passkeys need JavaScript in the browser.
app-passwords-none = No app passwords yet
app-passwords-why = An app password is for one mail program on one device. If the device is lost, take that one back; all others go on.
app-passwords-needed = Your mail programs need app passwords
app-passwords-needed-why = Two-step sign-in is on: your own password does not open mail programs.
app-password-add = Make an app password
app-password-name-help = So that you know it again, for example “Thunderbird, laptop”.
app-password-made = The app password is made
app-password-once = Type it into the mail program now: it is not shown again.
app-password-kind = What the program asks for
app-password-kind-password = A password
app-password-kind-token = A token
app-password-token-help = For programs and scripts that log in with OAUTHBEARER or XOAUTH2.
app-password-token-made = The token is made
app-password-token-once = Give it to the program now: it is not shown again.
app-password-token-ends = token, ends
app-password-days = Days until the token ends
app-password-days-help = A password has no end: take it back when you no longer need it.
app-password-bad-days = A token lasts 1 to { $most } days.
app-password-endless = An app password has no end; only a token has one.
app-password-done = Done
app-password-remove-title = Take this app password back?
app-password-remove-text = The mail program that uses it is refused from then on:
app-password-removed = The app password “{ $name }” is gone.
app-password-absent = This app password is not here.
app-password-taken = You already have one of this name. Choose another name.
app-password-too-many = You have { $most } app passwords, and no more can be kept. Remove one first.
app-password-no-protocol = Choose at least one thing that it is for.
app-password-bad-protocol = “{ $protocol }” is nothing that app passwords are for: imap, pop3 or smtp.
protocol-imap = IMAP
protocol-pop3 = POP3
protocol-smtp = SMTP
protocol-sieve = Rules (ManageSieve)
protocol-web = Browser
protocol-api = API
protocol-imap-use = Reading mail (IMAP)
protocol-pop3-use = Fetching mail (POP3)
protocol-smtp-use = Sending mail (SMTP)
session-browser = Browser
session-from = From
session-since = Signed in
session-seen = Last seen
session-this = this one
session-end = End
session-end-others = End all others
session-ended = The session has ended.
sessions-ended = { $count ->
    [one] 1 session has ended.
   *[other] { $count } sessions have ended.
}
log-ins-none = No log-ins yet
log-ins-none-why = Each time that you or a mail program logs in, it stands here.
log-in-when = When
log-in-how = How
log-in-way-first-factor = password right, second step still to come
log-in-way-second-factor = with a second step
log-in-way-passkey = with a passkey
log-in-outcome = Outcome
log-in-granted = { $count ->
    [one] let in
   *[other] let in, { $count } times
}
log-in-refused = { $count ->
    [one] refused
   *[other] refused, { $count } times
}
clients-lead = Mail programs that find settings by themselves, like Thunderbird and Outlook, need your address and a password and no more. Others ask for these:
clients-name = User name
clients-host = Server
clients-port = Port
clients-security = Security
clients-tls = TLS (SSL/TLS)
clients-imap = Reading mail (IMAP)
clients-pop3 = Fetching mail (POP3)
clients-smtp = Sending mail (SMTP)
clients-app-password-needed = As the password, give each program one of its own:
clients-app-password = Your own password does, but one for each program is safer:
clients-apple = iPhone, iPad, Mac
clients-apple-help = For another device than the one with the code: this profile fills everything in but the password. Open it on the device, then look into Settings.
clients-apple-get = Get the profile
clients-phone = A phone
clients-phone-help = The phone scans a code from this screen, and is set up without typing: it gets a password of its own, which you can take back.
clients-no-doors = This server opens no doors for mail programs.
clients-programs = A mail program
clients-phone-get = Show the code
clients-starttls = STARTTLS

# A phone that is set up by a code.
phone-scan = Scan this with the phone’s camera, and open the page that it finds.
phone-code = A code to be scanned: it holds the link below.
phone-until = { $count ->
    [one] It works once, for { $count } minute.
   *[other] It works once, for { $count } minutes.
}
phone-secret = Show it to nobody: whoever opens it first can read your mail.
phone-or-link = Or open this link on the phone:
phone-done = See your app passwords
phone-device = Phone
phone-title = Set up mail on this phone
phone-profile-help = iPhone, iPad, Mac: a profile sets mail up, with a password of its own. Allow it to be loaded, then open Settings: “Profile Downloaded” stands at the top. Install it there.
phone-profile-get = Get the profile
phone-profile-instead = On an iPhone, iPad or Mac, a profile sets everything up:
phone-page-help = Android and others: this phone gets a password of its own. Copy it and your address into your mail app.
phone-page-get = Show what to type
phone-page-instead = Another mail app than Apple’s? Then type it yourself:
phone-once = One choice: this link works once.
phone-settings-lead = Add an account in your mail app. It needs these two; many apps find the rest by themselves.
phone-settings-once = The password is shown only now
phone-settings-named = Copy it before you leave this page. Among your app passwords it is called
phone-settings-more = If the app asks for more, choose IMAP, and give these:
autoconfig-help = How to set up a mail program
