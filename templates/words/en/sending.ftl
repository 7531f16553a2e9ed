# What people send, of what they may; whose mail is held; addresses elsewhere that are nobody’s.
nav-holds = Held mail
nav-suppressed = Suppressed addresses
account-sending = Sending
sending-lead = What was sent, of what may be sent. An hour and a day slide: what was sent is free again an hour, or a day, later.
sending-used-of = { $used } of { $most }
sending-used-free = { $used }, no limit
sending-messages-per-hour = Messages in an hour
sending-recipients-per-hour = Recipients in an hour
sending-messages-per-day = Messages in a day
sending-recipients-per-day = Recipients in a day
sending-new-recipients-per-day = New recipients in a day
sending-unknown = { $count ->
    [one] Other hosts refused 1 recipient of the last day as nobody.
   *[other] Other hosts refused { $count } recipients of the last day as nobody.
}
sending-complaints = { $count ->
    [one] Somebody complained of 1 message of the last thirty days.
   *[other] Somebody complained of { $count } messages of the last thirty days.
}
sending-complaints-of-day = { $count ->
    [one] 1 complaint
   *[other] { $count } complaints
}
sending-held = Mail to other hosts is held
sending-held-own = It was sent as never before, and somebody who runs this server looks at it first. It is not lost. If you did not send it, change your password. Held since
sending-held-of = It is taken and waits, until somebody has looked. Held since
sending-held-look = Look at it
hold-because-new-recipients = { $count } people within minutes to whom this person had never written.
hold-because-messages = { $count } messages within minutes, far more than is usual with this person.
hold-because-network = { $count } new recipients within an hour, from { $peer }: a network that this person never signed in from.
hold-because-unknown = Other hosts refused { $count } recipients of a day as nobody: a list that was bought, or guessed.
hold-because-complaints = { $count } complaints about this person’s mail within a day.
hold-absent = Nothing of { $address } is held.
hold-own = Somebody else must end this: whoever stole a password would release their own mail.
hold-released = { $count ->
    [one] The mail of { $address } goes on: 1 recipient. What they did is usual from now on.
   *[other] The mail of { $address } goes on: { $count } recipients. What they did is usual from now on.
}
hold-dropped = { $count ->
    [one] Held mail of { $address } is gone: 1 recipient. Nobody is in the account any more: make a link with which they set a new password.
   *[other] Held mail of { $address } is gone: { $count } recipients. Nobody is in the account any more: make a link with which they set a new password.
}
holds-page-lead = People who sent as never before: their mail to other hosts waits until somebody has looked.
holds-page-none = Nobody’s mail is held
holds-page-none-why = Where somebody sends in a burst or from where they never were, it stands here, and they and the owners get a mail.
holds-page-why = Why
holds-page-waits = What waits
holds-page-since = Held since
holds-page-held = { $messages } messages to { $recipients } recipients
hold-page-title = Held mail
hold-page-meaning = Nothing is lost: it waits, and so does what they send now. Ask the person by another way than mail whether it was them.
hold-page-person = This person
hold-page-peer = Sent from
hold-page-samples = What waits, the latest first
hold-page-subject = Subject
hold-page-to = To
hold-page-at = Sent
hold-page-no-subject = (no longer known)
hold-page-and-more = { $recipient } and { $count } more
hold-page-release = It was them
hold-page-release-lead = The mail goes on, and the like is not held again.
hold-page-release-act = Release
hold-page-drop = It was not them
hold-page-drop-lead = The mail goes, and whoever has the password is shut out. This cannot be undone. It goes:
hold-page-drop-act = Shut out, and drop the mail
hold-page-goes-password = The password. They set a new one by a link that you make.
hold-page-goes-app-passwords = { $count ->
    [0] App passwords: there are none.
    [one] 1 app password, and all API keys.
   *[other] { $count } app passwords, and all API keys.
}
hold-page-goes-sessions = { $count ->
    [0] Sessions in the panel: there are none.
    [one] 1 session in the panel.
   *[other] { $count } sessions in the panel.
}
hold-page-goes-connections = Connections of mail programs that are open now.
overview-holds = { $count ->
    [one] Mail of 1 person is held: it was sent as never before.
   *[other] Mail of { $count } people is held: it was sent as never before.
}
hold-mail-subject = Mail of { $address } is held
hold-mail-begin-own = Your mail to other hosts is held since { $at }: it is taken, and waits.
hold-mail-begin = The mail of { $address } to other hosts is held since { $at }: it is taken, and waits.
hold-mail-end-own = If you sent it, there is nothing to do: somebody who runs the server looks at it. If you did not, somebody knows your password: change it, and remove app passwords that you do not know.
hold-mail-end = Ask whether it was them, then release it or drop it: { $link }
suppressed-page-lead = Other hosts refused these addresses as nobody’s, again and again: mail to them is refused here when somebody sends it. A success ends it.
suppressed-page-search = Search addresses
suppressed-page-none = No address is suppressed
suppressed-page-none-why = An address comes here when other hosts have refused it as nobody’s twice, an hour or more apart.
suppressed-page-address = Address
suppressed-page-said = What was said last
suppressed-page-refusals = Refusals
suppressed-page-since = Since
suppressed-page-until = Until
suppressed-page-remove = Let mail go
suppression-removed = Mail to { $address } is tried again.
suppression-absent = Mail to { $address } is not refused here.
reports-complained = Complaints about people
reports-complained-lead = Of the last thirty days: whose mail other hosts’ people called junk.
