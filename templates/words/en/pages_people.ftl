# People.
people-title = People
people-lead = Who has a mailbox here, and what they may do.
people-add = Add a person
people-import = Add many
people-search = Search by name or address
people-role-any = All roles
people-state-any = All
people-state-active = Active
people-state-suspended = Suspended
people-state-removed = Recently removed
people-none = Nobody here yet
people-none-why = Each person has an address and a mailbox. Add one, or many at once from a table.
people-none-removed = Nobody was removed
people-none-removed-why = Someone who is removed waits here for 30 days, with all their mail, and can be restored.
people-none-chosen = Nobody was chosen: tick the boxes before the names first.
people-suspended = { $count ->
    [one] { $count } person is suspended.
   *[other] { $count } people are suspended.
}
people-resumed = { $count ->
    [one] { $count } person is active again.
   *[other] { $count } people are active again.
}
people-removed = { $count ->
    [one] { $count } person is removed, and can be restored for 30 days.
   *[other] { $count } people are removed, and can be restored for 30 days.
}
people-remove-title = { $count ->
    [one] Remove { $count } person?
   *[other] Remove { $count } people?
}
people-goes-one = { $count ->
    [one] { $address }: { $count } message, { $size }
   *[other] { $address }: { $count } messages, { $size }
}
people-acts-title = Not all could be done
people-acts-refused = These were left as they are
person-name = Name
person-name-help = As it stands in lists, such as Ann Lee.
person-role = Role
person-role-help = Most people are users: their own mailbox, and nothing else.
person-power = May do more than read their own mail
person-serves = Domains they look after
person-serves-help = For help desk and domain admins only.
person-seen = Last seen
person-is-active = active
person-is-suspended = suspended
person-way = How they get in the first time
person-way-link = With a link that you send them
person-way-link-help = They choose their own password, and nobody else ever knows it.
person-way-password = With a password that you choose
person-way-password-help = Tell it to them in a safe way.
person-password-help = Only if you choose one yourself: 8 characters at least.
person-quota = Storage at most
person-quota-new-help = Such as 5 GB. Empty: as the domain says.
person-added = { $address } is here
person-profile = Profile
person-sign-in = Signing in
person-settings = Settings
person-daily-messages = Messages a day
person-daily-recipients = Recipients a day
person-daily-help = How much they may send; a stolen password can do no more. Empty: as the house says.
person-hourly-messages = Messages an hour
person-hourly-recipients = Recipients an hour
person-daily-new-recipients = New recipients a day
person-new-recipients-help = To how many people they may write whom they never wrote to before. Empty: as the house says.
person-used-of = { $used } of { $quota }
person-used-free = { $used }, no limit
person-leads = Addresses that lead here
person-leads-lead = Besides their own.
person-leads-none = No other address leads here.
person-leads-domain = Catch-all or postmaster
person-suspend = Suspend
person-resume = End the suspension
person-suspend-title = Suspend { $address }?
person-suspend-text = They can’t log in and their mail is refused until you end the suspension. Nothing is deleted.
person-suspended = { $address } is suspended.
person-resumed = { $address } is active again.
person-suspended-title = This person is suspended
person-suspended-text = They can’t log in, and their mail is refused.
person-remove = Remove
person-remove-title = Remove { $address }?
person-remove-text = Log-in and mail are refused at once. All can be restored for a while; it is gone for good { $until }.
person-goes-messages = { $count ->
    [one] { $count } message, { $size }
   *[other] { $count } messages, { $size }
}
person-goes-aliases = { $count ->
    [one] { $count } alias leads nowhere then: { $aliases }
   *[other] { $count } aliases lead nowhere then: { $aliases }
}
person-goes-domains = The catch-all or postmaster of { $domains }
person-removed = { $address } is removed, and can be restored for 30 days.
person-restored = { $address } is back, with all their mail.
power-title = What { $address } may do
role-user-help = Their own account, and nothing else.
role-help-desk-help = Sees people, queue and traces of their domains; sends password links, ends sessions.
role-domain-admin-help = Manages people, addresses and settings of their domains.
role-owner-help = Everything, everywhere in this house.
person-link-act = Link for a new password
person-link-question = Make a password link for { $address }?
person-link-text = With it they choose a new password. The one they have works until then, and earlier links stop working.
person-link-title = A link for { $address }
person-link-lead = Send it to { $address } in a way that reaches nobody else.
person-link-until = { $count ->
    [one] It works once, for { $count } hour.
   *[other] It works once, for { $count } hours.
}
person-link-send = A text to send along
person-link-letter = Hello! Choose your password for { $host } here: { $link }
person-link-done = I have sent it
person-methods = Ways in
person-methods-lead = What opens this account.
person-has-password = There is one.
person-has-no-password = None yet. A link lets them choose one.
person-second = Second factor
person-second-since = On since
person-second-off = Off: the password alone opens the account.
person-second-remove = Take away
person-second-title = Take the second factor of { $address } away?
person-second-text = Do this for someone who has lost their device, when you are sure that it is they who ask. Their password alone opens the account from then on.
person-second-removed = The second factor of { $address } is off.
person-recovery-codes = { $count ->
    [one] { $count } recovery code left
   *[other] { $count } recovery codes left
}
person-passkey = Passkey
person-app-password = App password
person-method-title = Remove “{ $name }”?
person-passkey-text = The device that has this passkey opens the account no longer.
person-app-password-text = The app that uses this password can’t log in any more.
person-method-remove = Remove
person-method-removed = That way in is closed.
person-sessions = Open sessions
person-sessions-lead = Browsers that are signed in to the panel.
person-sessions-none = No browser is signed in.
person-session-unknown = A browser that doesn’t name itself
person-session-seen = seen
person-session-since = signed in
person-session-end = End
person-sessions-end-all = End all sessions
person-sessions-ended = { $count ->
    [0] No session was open.
    [one] { $count } session has ended.
   *[other] { $count } sessions have ended.
}
person-log-ins = Log-ins
person-log-ins-none = Nobody has logged in, or tried to, in the last 90 days.
person-log-in-when = When
person-log-in-outcome = Outcome
person-log-in-way = By
person-log-in-from = From
person-log-in-granted = let in
person-log-in-refused = refused
person-log-in-web = Browser
person-log-in-api = API
person-log-in-attempts = { $count ->
    [one] { $count } time
   *[other] { $count } times
}
import-lead = One line a person. The lines are looked at first; nothing happens before you say so.
import-file = A file
import-paste = Or paste the lines
import-help = The first line names the columns. A file goes before what is pasted.
import-columns = Which columns?
import-columns-help = address is needed; name, password, hash (of another mail system) and quota (in bytes) may be left out. Without a password, each person gets in with a password link.
import-look = Look at the lines
import-act = Add these people
import-would-add = { $count ->
    [one] { $count } person can be added
   *[other] { $count } people can be added
}
import-added = { $count ->
    [one] { $count } person is here now
   *[other] { $count } people are here now
}
import-refused = { $count ->
    [one] { $count } line was not taken
   *[other] { $count } lines were not taken
}
import-refused-why = The others are not touched by that. Mend these lines and send them again.
import-who = Who?
import-more = { $count ->
    [one] and { $count } more
   *[other] and { $count } more
}
import-line = Line
person-deleted = Deleted mail
person-deleted-lead = What they deleted for good and can have back, each message where it stood. Nobody else sees it.
person-deleted-none = Nothing that is still kept.
person-deleted-since = Deleted in
person-deleted-hour = the last hour
person-deleted-day = the last day
person-deleted-week = the last week
person-deleted-all = all that is kept
person-quota-messages = Messages at most
person-imap-hidden = Extensions of IMAP that this person’s programs aren’t told of
person-imap-hidden-help = For a mail program that stumbles over one, for example CONDSTORE, QRESYNC. With commas between them. It holds from the program’s next connection on.
person-quota-messages-help = Empty: no limit.
