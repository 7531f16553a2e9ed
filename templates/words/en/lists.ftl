# Mailing lists.
lists-title = Mailing lists
lists-lead = An address whose mail goes to all who subscribed.
lists-search = Search lists
lists-none = No mailing lists yet
lists-none-why = Make one where several people should get the same mail, and come and go by themselves.
mlist-add = Add a list
mlist-added = { $address } is here. Now add its members.
mlist-title = What it is about
mlist-title-help = A few words; they stand in each message’s header.
mlist-posters = Who may post
mlist-posters-members = Members
mlist-posters-owners = Its owners
mlist-posters-moderated = Anybody, once an owner has seen it
mlist-posters-anyone = Anybody
mlist-is-open = People subscribe themselves
mlist-is-open-help = They write to the list’s -subscribe address, and confirm it by mail. Else they are added here.
mlist-owners = Who looks after it
mlist-owners-help = They get mail for its -owner address, and are asked where a message waits.
mlist-members = Members
mlist-members-search = Search members
mlist-members-none = Nobody is on it yet
mlist-members-none-why = Add addresses below, here or elsewhere.
mlist-members-add = Add members
mlist-members-who = Addresses
mlist-members-who-help = One a line, or with commas between them. Who is on the list already is changed; who could not be reached gets mail again.
mlist-member-is = Is
mlist-member-owner = owner
mlist-member-silent = gets no posts
mlist-member-stopped = cannot be reached
mlist-member-is-owner = They look after the list
mlist-member-is-silent = Posts are not sent to them
mlist-member-removed = { $member } is no longer on it.
mlist-members-partly = Added: { $count }. No addresses, and left out: { $refused }
mlist-held = Messages that wait
mlist-held-lead = An owner decides whether they go out. Those who look after the list were asked by mail, too.
mlist-post-subject = Subject
mlist-post-author = From
mlist-post-since = Since
mlist-post-approve = Let it go out
mlist-post-reject = Turn it away
mlist-post-approved = It goes out.
mlist-post-rejected = It is turned away.
mlist-terms = How it works
mlist-size = Largest message (KiB)
mlist-size-help = 1 to 10240. Each member gets a copy of their own.
mlist-prefix = Before subjects
mlist-prefix-help = Such as [team]. Left empty, messages stay as their authors signed them, which is better for everybody’s spam filters.
mlist-way-owner = Reaches those who look after it
mlist-way-leave = To leave, write to
mlist-way-join = To join, write to
mlist-remove = Remove the list
mlist-remove-title = Remove { $address }?
mlist-remove-text = Mail to it is refused from then on. This cannot be undone: save the addresses of its members first, if you need them.
mlist-removed = { $address } is removed.
mlist-join = Join the list
mlist-join-absent = There is no such list, or people don’t join it by themselves.
mlist-join-address = Your address
mlist-join-help = We write to it, with a link that confirms what you wish.
mlist-join-act = What you wish
mlist-join-send = Send me the link
mlist-join-asked = Look into your mail
mlist-join-asked-text = If there is something to confirm, a letter with a link is on its way to you. It holds for three days.
mlist-confirm = Mailing list
mlist-confirm-joins = { $member } will get mail from { $list }.
mlist-confirm-act = Yes, that is what I wish
mlist-confirmed = It is done.
mlist-confirm-nothing = There is nothing to confirm: the link is older than three days, or not whole.
mlist-leave = Leave the list
mlist-leave-asks = { $member } will no longer get mail from { $list }.
mlist-leave-nobody = There is nothing to leave: either you have left already, or this link is not whole.
mlist-left = You have left the list. What is on its way may still arrive.
mlist-held-count = { $count ->
    [one] { $count } waits
   *[other] { $count } wait
}
mlist-members-put = { $count ->
    [one] { $count } member is added.
   *[other] { $count } members are added.
}
mlist-members-go = { $count ->
    [one] { $count } member leaves it
   *[other] { $count } members leave it
}
nav-lists = Mailing lists
failure-list-name = A list’s name has 1 to { $most } plain letters, digits, dots, dashes and underscores before the @.
failure-list-size = A message may have 1 KiB to 10 MiB.
failure-list-members = Name at least one address.
failure-list-full = A list has up to 10,000 members and 20 owners.
failure-list-invited = You may invite { $most } addresses elsewhere an hour. Nobody was added: name fewer, or come back later.
failure-unknown-post = This message does not wait any more: somebody has decided already.
try-list = A mailing list: it goes to who subscribed.
activity-list-create = added the mailing list { $subject }
activity-list-change = changed the mailing list { $subject }
activity-list-remove = removed the mailing list { $subject }
activity-list-members-put = added members to { $subject }
activity-list-member-remove = took a member off { $subject }
activity-list-member-leave = left { $subject }
acts-about-lists = Mailing lists
