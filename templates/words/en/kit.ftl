# The frame around every page, and pages that say what went wrong.
nav-mail = Mail
nav-house = House
nav-you = You
nav-overview = Overview
nav-domains = Domains
nav-dns = DNS
nav-people = People
nav-addresses = Addresses
nav-queue = Queue
nav-messages = Messages
nav-security = Security
nav-certificates = Certificates
nav-activity = Activity
nav-keys = API keys
nav-webhooks = Webhooks
nav-settings = Settings
nav-system = System
nav-webmail = Webmail
nav-account = My account
role-user = User
role-help-desk = Help desk
role-domain-admin = Domain admin
role-owner = Owner
error-absent = Not here
error-forbidden = Not allowed
error-stale = Changed meanwhile
error-too-many = Too many attempts
error-unfit = That was not understood
error-failed = Something went wrong here
error-no-page = There is no such page. It may have been moved, or the address was mistyped.
error-home = Back to the start
form-kind = The browser sent the form in a way that this server does not read.
form-too-large = The form is too large.
form-unreadable = The form could not be read: some of it is missing. Go back, load the page again, and try once more.
form-not-ours = This form is out of date: you have signed in or out since the page was opened. Go back, load the page again, and try once more.
list-shown = { $count ->
    [one] 1 entry on this page
   *[other] { $count } entries on this page
}
list-first = First page
list-next = Next page
list-pages = Pages of the list
