# Reading and writing mail in the browser.
webmail-inbox = Inbox
webmail-drafts = Drafts
webmail-sent = Sent
webmail-archive = Archive
webmail-junk = Junk
webmail-trash = Trash
webmail-folders = Folders
webmail-choices = Reading settings
webmail-choices-lead = How lists and messages are laid out, for you alone.
webmail-choices-kept = Kept. Lists and messages look so from now on.
webmail-density = Lines of a list
webmail-density-roomy = Roomy: subject and first words below the sender
webmail-density-dense = Dense: one line a message
webmail-pane = The open message
webmail-pane-right = Beside the list
webmail-pane-below = Below the list
webmail-pane-none = In place of the list
webmail-by-conversation = Keep conversations together
webmail-by-conversation-help = Messages that answer each other stand on one line of the list.
webmail-search = Search this folder
webmail-order = In which order
webmail-best-first = Best first
webmail-newest-first = Newest first
webmail-everywhere = Search all folders
webmail-found-in = { $folder }: { $count }
webmail-filter = Which messages
webmail-all = All
webmail-unread = Unread
webmail-starred = Starred
webmail-range = { $first }–{ $last } of { $total }
webmail-newer = Newer
webmail-older = Older
webmail-newer-one = Newer message
webmail-older-one = Older message
webmail-beside = Messages beside this one
webmail-choose = Choose
webmail-nobody = Nobody
webmail-draft = Draft
webmail-unread-one = Unread
webmail-starred-one = Starred
webmail-answered-one = Answered
webmail-forwarded-one = Passed on
webmail-has-file = Has a file
webmail-archive-act = Archive
webmail-junk-act = Junk
webmail-not-junk = Not junk
webmail-delete = Delete
webmail-mark-read = Mark as read
webmail-mark-unread = Mark as unread
webmail-star = Star
webmail-unstar = Remove the star
webmail-more = More
webmail-move-to = To the folder
webmail-move = Move
webmail-copy = Copy
webmail-label = Label
webmail-label-on = Put this label on
webmail-label-off = Take this label off
webmail-whom = Whom it is done to
webmail-whom-chosen = The chosen ones
webmail-whom-all = { $count ->
    [one] The one that this list shows
   *[other] All { $count } that this list shows
}
webmail-empty = Nothing here
webmail-empty-why = Messages in this folder will stand here, the newest first.
webmail-nothing-found = Nothing found
webmail-nothing-found-why = No message in this folder looks like this. You can look for from:, to:, subject:, is:unread, has:attachment, before: and after: as well as for words.
webmail-show-all = Show all
webmail-message = Message
webmail-none-open = No message is open
webmail-keys-hint = Keys that help:
webmail-keys = Keys
webmail-key-next = Next, previous
webmail-key-open = Open
webmail-key-back = Back to the list
webmail-key-choose = Choose
webmail-key-read = Mark as read, as unread
webmail-key-inbox = To the inbox
webmail-offline = The connection is lost. What you see may be old; it is tried again.
webmail-new-mail = New mail
webmail-from = From
webmail-reply-to = Answers go to
webmail-to = To
webmail-cc = Cc
webmail-bcc = Bcc
webmail-date = Date
webmail-sender = Sent by
webmail-list = Mailing list
webmail-unsubscribe = Leave it
webmail-leave = Leave this list
webmail-size = Size
webmail-to-nobody = to nobody who is named
webmail-to-some = to { $names }
webmail-to-many = { $count ->
    [one] to { $names } and 1 other
   *[other] to { $names } and { $count } others
}
webmail-conversation = Conversation
webmail-genuine = Really from { $domain }
webmail-not-genuine = Perhaps not from whom it says
webmail-not-genuine-why = Nobody stands behind this message: whoever sent it may have made up the sender. Don’t follow its links or open its files unless you expected it.
webmail-junk-why = Why this is in Junk
webmail-junk-why-unknown = Somebody put it here, or it is not known any more what spoke against it.
webmail-seal-pgp-sealed = Sealed with OpenPGP
webmail-seal-pgp-sealed-why = Only a program that has your key can open it. Download the message and open it there.
webmail-seal-pgp-signed = Signed with OpenPGP
webmail-seal-pgp-signed-why = The signature isn’t checked here.
webmail-seal-smime-sealed = Sealed with S/MIME
webmail-seal-smime-sealed-why = Only a program that has your certificate’s key can open it. Download the message and open it there.
webmail-seal-smime-signed = Signed with S/MIME
webmail-seal-smime-signed-why = The signature isn’t checked here.
webmail-cut = There is more
webmail-cut-why = The message is too long to be shown whole. Download it to read the rest.
webmail-doubtful = Look twice before you follow a link
webmail-doubt-elsewhere = “{ $words }” leads to { $host }.
webmail-doubt-look-alike = { $host } is written with letters that look like others.
webmail-doubt-disguised = What looks like an address leads to { $host }.
webmail-doubt-numeric = “{ $words }” leads to { $host }, a number instead of a name.
webmail-invitation = Invitation
webmail-invitation-cancel = Cancelled
webmail-invitation-reply = Answer to an invitation
webmail-invitation-file = Calendar file
webmail-organizer = By
webmail-pictures-away = { $count ->
    [one] 1 picture was not fetched.
   *[other] { $count } pictures were not fetched.
}
webmail-pictures-why = Fetched, they may tell the sender that you have read this; we fetch them for you, so that they don’t tell where you are.
webmail-pictures-once = Show pictures
webmail-pictures-always = Always from this sender
webmail-pictures-never = Stop showing this sender’s pictures
webmail-letter = The message
webmail-quoted = Quoted text
webmail-files = Files
webmail-files-count = { $count ->
    [one] 1 file
   *[other] { $count } files
}
webmail-all-files = All as ZIP
webmail-file-unnamed = File without a name
webmail-view = View
webmail-download = Download
webmail-print = Print view
webmail-eml = Download (.eml)
webmail-source = Source
webmail-headers = Headers
webmail-source-cut = The beginning. Download the message for all of it.
mail-no-mailbox = There is no such folder.
mail-no-mailbox-of-name = There is no folder “{ $mailbox }” among yours, nor among those that others share with you. Give its whole name, as the webmail and mail programs show it, with / between the levels.
mail-search-misread = “{ $word }” can’t be read: what stands behind the colon isn’t what this operator takes. Mend it, or put all of it in straight quotation marks to look for it as it stands.
mail-search-too-long = A search has { $words } words and { $characters } characters at most. Leave some out.
mail-no-page = This page isn’t there any more: its folder is gone. Begin again without “after”.
mail-which-deleted = Say which: either “ids”, between one and { $most } of them, or “since”.
mail-not-deleted = This isn’t among what you deleted any more. It may have been brought back, or be gone for good.
mail-no-message = The message isn’t here any more. It may have been moved or deleted.
mail-no-html = This message is plain text.
mail-no-file = The message has no such file.
mail-no-author = The sender’s address can’t be read.
mail-no-one-click = This message offers no way to leave its list with one click.
mail-list-left = { $host } takes you off the list, it says. It may take a few days.
mail-list-not-left = { $host } did not take you off the list. Try the link “Leave it”, among the recipients.
mail-no-such-act = Nothing was done: that act isn’t known.
mail-nothing-chosen = Nothing was done: no message was chosen.
mail-moved-nowhere = Nothing was done: they are in that folder already.
mail-full = The account is full. Delete something first, also from Trash.
mail-no-right = You may not do that in this mailbox. Ask who shares it with you.
mail-label-bad = A label is one word of up to 100 letters without accents, digits and hyphens. It doesn’t begin with $, and isn’t Junk or NotJunk.
mail-too-many-labels = This folder has no room for another label.
mail-undo-gone = That can’t be taken back any more.
mail-undone = Taken back.
mail-pictures-shown = Pictures from { $sender } are shown from now on.
mail-pictures-not-shown = Pictures from { $sender } are not shown any more.
mail-done-read = { $count ->
    [one] 1 message marked as read.
   *[other] { $count } messages marked as read.
}
mail-done-not-read = { $count ->
    [one] 1 message marked as unread.
   *[other] { $count } messages marked as unread.
}
mail-done-star = { $count ->
    [one] 1 message starred.
   *[other] { $count } messages starred.
}
mail-done-not-star = { $count ->
    [one] 1 message no longer starred.
   *[other] { $count } messages no longer starred.
}
mail-done-label = { $count ->
    [one] 1 message labelled.
   *[other] { $count } messages labelled.
}
mail-done-not-label = { $count ->
    [one] 1 message no longer labelled.
   *[other] { $count } messages no longer labelled.
}
mail-done-moved = { $count ->
    [one] 1 message moved.
   *[other] { $count } messages moved.
}
mail-done-copied = { $count ->
    [one] 1 message copied.
   *[other] { $count } messages copied.
}
mail-done-archived = { $count ->
    [one] 1 message archived.
   *[other] { $count } messages archived.
}
mail-done-junk = { $count ->
    [one] 1 message moved to Junk. The filter learns from it.
   *[other] { $count } messages moved to Junk. The filter learns from it.
}
mail-done-not-junk = { $count ->
    [one] 1 message moved to the inbox. The filter learns from it.
   *[other] { $count } messages moved to the inbox. The filter learns from it.
}
mail-done-deleted = { $count ->
    [one] 1 message moved to Trash.
   *[other] { $count } messages moved to Trash.
}
mail-done-removed = { $count ->
    [one] 1 message deleted for good.
   *[other] { $count } messages deleted for good.
}
mail-done-restored = { $count ->
    [0] None of these can be brought back any more.
    [one] 1 message brought back.
   *[other] { $count } messages brought back.
}
mail-done-restored-folders = { $folders ->
    [one] 1 folder brought back.
   *[other] { $folders } folders brought back.
} { $count ->
    [0] No messages.
    [one] And 1 message.
   *[other] And { $count } messages.
}
mail-done-forgotten = { $count ->
    [0] None of these were there any more.
    [one] 1 message is gone.
   *[other] { $count } messages are gone.
}
mail-done-forgotten-folders = { $folders ->
    [one] 1 folder is gone, with what was in it.
   *[other] { $folders } folders are gone, with what was in them.
}
webmail-removed = Recently deleted
webmail-removed-lead = What was deleted for good, from Trash or by a mail program. It comes back to the folder where it stood; a folder comes back with what was in it.
webmail-removed-none = Nothing was deleted lately
webmail-removed-none-why = What is deleted from Trash, or by a mail program, waits here for a while and can be brought back.
webmail-removed-messages = Messages
webmail-removed-folders-more = More folders
webmail-removed-restore = Bring back
webmail-removed-forget = Delete now
webmail-removed-until = gone for good
webmail-removed-all = All of it
webmail-removed-all-why = On all pages of this list. What is deleted here can’t be brought back by anybody.
webmail-removed-restore-all = Bring all back
webmail-removed-forget-all = Delete all now
webmail-write = Write
webmail-reply = Reply
webmail-reply-all = Reply to all
webmail-forward = Forward
webmail-forward-file = Forward as a file
webmail-to-help = Addresses, parted by commas.
webmail-copies = Copies
webmail-bcc-help = Nobody sees who these are.
webmail-subject = Subject
webmail-text = Text
webmail-attach = Files
webmail-files-help = { $megabytes } MB all together, 15 MB at once.
webmail-attach-now = Attach
webmail-remove-file = Remove
webmail-send = Send
webmail-save-draft = Save as draft
webmail-discard = Discard
webmail-saved-now = Saved as a draft
webmail-unsaved = Not saved: the connection is lost. Nothing you typed is gone; it is tried again.
webmail-quote = On { $date }, { $who } wrote:
webmail-passed-on = ---------- Forwarded message ----------
webmail-key-write = Write
mail-draft-saved = Saved as a draft.
mail-discarded = Discarded.
webmail-folders-lead = Make folders, give them other names, throw them away. A folder below another is named with a slash: Bills/2026.
webmail-folders-edit = Manage folders
webmail-folder-name = Name of the folder
webmail-folder-name-help = A slash puts it below another.
webmail-folder-create = Create
webmail-folder-rename = Rename
webmail-folder-subscribe = Subscribe
webmail-folder-unsubscribe = Unsubscribe
webmail-folder-subscribe-help = Mail programs show the folders that you subscribe to. Here all of them are shown.
mail-folder-subscribed = Mail programs show the folder { $name } now.
mail-folder-unsubscribed = Mail programs no longer show the folder { $name }. It is still here, with all that is in it.
webmail-folder-uses = What folders are for
webmail-folder-use = Use this folder
webmail-folder-use-help = What comes from now on goes there; what is in the folder of before stays in it. With whom you share a folder, they see what goes there.
webmail-folder-use-for = For
webmail-folder-use-act = Use it
mail-folder-for-sent = Copies of what you send are kept in { $name } now.
mail-folder-for-archive = What you archive goes to { $name } now.
mail-folder-for-junk = Junk goes to { $name } now.
mail-folder-for-trash = What you delete goes to { $name } now.
mail-folder-junk-left = There is mail in the folder for junk. Delete it first: left there, it would pass for wanted mail.
mail-folder-created = The folder { $name } is there.
mail-folder-renamed = The folder is called { $name } now.
mail-folder-deleted = The folder { $name } is in Trash, with all that is in it.
mail-folder-removed = The folder { $name } was deleted for good.
mail-folder-bad-name = That can’t be the name of a folder.
mail-folder-exists = There is a folder of that name.
mail-folder-below-itself = A folder can’t stand below itself.
mail-folder-too-many = You have as many folders as you may have.
mail-folder-kept = This folder is needed and stays as it is.
webmail-delete-for-good = Delete for good
mail-sent = Sent.
mail-sent-not-kept = Sent. No copy could be kept in Sent: the account may be full.
mail-no-recipient = Say to whom it goes.
mail-bad-address = “{ $text }” is no address.
mail-too-many-recipients = A message can go to { $most } recipients at most.
mail-too-long = The text is too long. Attach it as a file.
mail-files-too-large = All files together may have { $megabytes } MB.
mail-recipient-refused = { $address }: { $reply }
mail-refused = The message was not taken: { $reply }
mail-no-way-out = Nothing can be sent from here.
webmail-identities = Names and signatures
webmail-identities-lead = As whom you write: a name, an address of yours, and what stands below your messages. An answer comes from the address that was written to.
webmail-identity-default = New messages
webmail-identity-is-default = New messages begin with this one
webmail-identity-name = Name
webmail-identity-address = Address
webmail-identity-reply-to = Answers go to another address
webmail-signature = Signature
webmail-identity-new = Another name
webmail-identity-new-lead = Your own address, that address with a word behind a plus (you+shop@…), or an alias that leads to you.
webmail-identity-add = Add
webmail-identity-remove = Remove
webmail-writing-choices = How you write
webmail-format = New messages and answers
webmail-format-rich = With formatting, where the browser can
webmail-format-plain = As plain text
webmail-format-to-plain = As plain text
webmail-format-to-rich = With formatting
webmail-formatting = Formatting
webmail-bold = Bold
webmail-italic = Italic
webmail-underline = Underlined
webmail-bullets = List
webmail-numbers = Numbered list
webmail-quote-it = Quote
webmail-link = Link
webmail-link-address = Where the link leads
webmail-link-set = Set
webmail-no-formatting = Remove the formatting
webmail-quote-keep = Send the quoted message along
webmail-quote-show = Show what is quoted
webmail-left = Something you wrote was not saved
webmail-left-why = The connection was lost before it could be. It is still in this browser.
webmail-left-take = Go on with it
webmail-left-drop = Throw it away
webmail-attaching = Files are on their way
webmail-not-attached = Not attached: the connection is lost, or the files are too large. Choose them again.
webmail-doubts = Look once more before it goes
webmail-send-sure = Send all the same
mail-identity-kept = Kept: { $address }.
mail-identity-removed = Removed: { $address }.
mail-identity-gone = There is no such name any more.
mail-identity-not-yours = You can’t write from { $address }: it is neither your address nor an alias that leads to you.
mail-identity-too-long = This is too long.
mail-identities-too-many = You have as many names as you may have. Remove one first.
mail-writing-kept = Kept. New messages and answers begin so.
mail-doubt-no-file = Your text speaks of a file, but none is attached.
mail-doubt-address = { $address } is nearly { $known }, to whom you have written before.
mail-doubt-seen = { $count } recipients will see each other’s addresses. In Bcc nobody sees the others.
mail-doubt-many = The message goes to { $count } recipients.
webmail-undo = After sending, a message can still be stopped
webmail-undo-seconds = { $count ->
    [0] Not at all: it goes at once
   *[other] For { $count } seconds
}
webmail-later = Scheduled
webmail-later-lead = Messages that go out at a time you chose. Until then they stand in Drafts, and can be changed or stopped.
webmail-later-none = Nothing waits
webmail-later-none-why = Messages that go out later will stand here until they do.
webmail-later-stop = Stop
webmail-later-open = Open
webmail-later-not-sent = Not sent.
webmail-later-some-refused = Not sent
webmail-later-waits = This message goes out by itself:
webmail-later-waits-why = If you write on, it doesn’t any more: send it again then.
webmail-send-later = Send later
webmail-send-then = Send then
webmail-due = When
webmail-due-utc = In UTC.
mail-going = Sent in { $seconds } seconds.
mail-stopped = Stopped. It is a draft again.
mail-later-kept = It goes out by itself.
mail-later-bad-time = Choose a time between now and a year from now.
mail-later-too-many = As many messages wait as may. Stop one first.
mail-later-gone = That can’t be stopped any more: it is sent, or on its way.
mail-later-refused = It can’t be sent from this account now.
webmail-contacts = Contacts
webmail-contacts-lead = People whom you know. Their addresses complete themselves when you write, before those that you have written to; a group’s name stands for all who are in it.
webmail-contacts-search = Search contacts
webmail-contacts-count = { $count ->
    [0] Nobody
    [one] 1 contact
   *[other] { $count } contacts
}
webmail-contact-groups = Groups
webmail-contact-groups-help = Names of groups, parted by commas.
webmail-contact-addresses = Addresses
webmail-contact-phones = Telephone
webmail-contact-organisation = Organisation
webmail-contact-note = Note
webmail-contact-new = Add somebody
webmail-contacts-before = Before these
webmail-contacts-after = After these
webmail-contacts-files = From and to other programs
webmail-contacts-files-lead = Nearly every program exports contacts as vCards (.vcf). A card that is here already takes the place of the old one.
webmail-contacts-file = File of vCards
webmail-contacts-import = Import
webmail-contacts-export = Export all
webmail-contacts-export-3 = For older programs (vCard 3.0)
mail-contact-kept = Kept: { $name }.
mail-contact-removed = Removed: { $name }.
mail-contact-gone = There is no such contact any more.
mail-contact-nobody = Give a name or an address.
mail-contacts-no-card = There is no vCard in this file.
mail-contacts-too-many = You can keep { $most } contacts.
mail-contacts-imported = { $count ->
    [one] 1 contact imported.
   *[other] { $count } contacts imported.
}
mail-contacts-imported-some = { $count } contacts imported; for { $left } there was no room.
webmail-snoozed = Snoozed
webmail-snooze = Snooze
webmail-snooze-later = In three hours
webmail-snooze-tomorrow = Tomorrow morning
webmail-snooze-week = On Monday morning
webmail-snooze-at = Or at another time.
webmail-snooze-until = Until then
webmail-snoozed-until = Back
mail-snoozed-too-many = As many messages are snoozed as may be. Bring some back first.
mail-done-snoozed = { $count ->
    [one] 1 message snoozed. It comes back to the inbox, unread.
   *[other] { $count } messages snoozed. They come back to the inbox, unread.
}
webmail-invitation-update = Invitation, changed
webmail-meeting-when = When
webmail-meeting-where = Where
webmail-meeting-repeats = repeats
webmail-attendees = { $count ->
    [one] 1 person invited
   *[other] { $count } people invited
}
webmail-attendee-accepted = Comes
webmail-attendee-declined = Doesn’t come
webmail-attendee-tentative = Maybe
webmail-attendee-waits = No answer yet
webmail-meeting-accepted = Accept
webmail-meeting-tentative = Maybe
webmail-meeting-declined = Decline
webmail-meeting-by-another = Who sent this isn’t who invites: don’t trust it without asking. It can’t be answered from here.
webmail-meeting-cancelled = This meeting was called off.
webmail-meeting-outdated = A later message has changed this meeting: answer that one.
webmail-meeting-you-accepted = You accepted, { $when }.
webmail-meeting-you-tentative = You answered maybe, { $when }.
webmail-meeting-you-declined = You declined, { $when }.
webmail-meeting-answer-old = That was before it was changed.
webmail-meeting-not-invited = You aren’t among those who are invited by name, so there is nothing to answer.
webmail-meeting-subject-accepted = Accepted: { $meeting }
webmail-meeting-subject-tentative = Maybe: { $meeting }
webmail-meeting-subject-declined = Declined: { $meeting }
webmail-meeting-text-accepted = { $who } accepts: { $meeting }
webmail-meeting-text-tentative = { $who } may come: { $meeting }
webmail-meeting-text-declined = { $who } declines: { $meeting }
mail-meeting-accepted = Accepted. { $who } is told.
mail-meeting-tentative = Answered maybe. { $who } is told.
mail-meeting-declined = Declined. { $who } is told.
mail-meeting-no-answer = This invitation can’t be answered.
webmail-receipt = { $who } asks to be told that you have read this.
webmail-receipt-elsewhere = { $who } asks that { $to } be told that you have read this.
webmail-receipt-why = Nobody is told unless you say so.
webmail-receipt-send = Send a receipt
webmail-receipt-never = Don’t
webmail-receipt-ask = Ask for a receipt when it is read
webmail-receipt-subject = Read: { $subject }
webmail-receipt-text = Your message “{ $subject }” was opened. This says nothing about whether it was read or understood.
mail-receipt-sent = The receipt is sent.
mail-receipt-not-sent = No receipt is sent.
mail-receipt-gone = This message asks for no receipt, or that was answered already.
webmail-suggest-written = Suggest people I have written to
webmail-suggest-written-help = Your contacts are suggested anyway. The junk filter knows whom you write to in both cases, so that their answers arrive.
webmail-search-parts = What is looked for
webmail-search-without = look without it
webmail-notify = Notices of new mail
webmail-notify-why = Who wrote, and about what, shown by this browser while you look at something else. Only of mail in the inbox, and only in this browser.
webmail-notify-act = Show notices
webmail-notify-on = Notices are shown in this browser.
webmail-notify-off = No notices are shown in this browser.
webmail-notify-denied = This browser doesn’t let this page show notices. Its settings for this page say so.
