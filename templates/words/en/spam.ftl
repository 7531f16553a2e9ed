# Why a message is junk, or not.
spam-above-bar = It looks like junk: { $score } points, where { $bar } are enough.
spam-listed = The blocklist { $list } names { $named }.
spam-link-listed = A link leads to { $named }, which the blocklist { $list } names.
spam-disowned = The sender’s domain says that this host may not send its mail.
spam-greylisted = The host has no good name and was never here: it was asked to come again in { $minutes ->
    [one] one minute
   *[other] { $minutes } minutes
}.
spam-known-address = You have written to this sender before.
spam-known-domain = You have written to somebody of this domain before.
spam-read-author = You have read and kept { $messages ->
    [one] one message
   *[other] { $messages } messages
} of this sender.
spam-read-signer = You have read and kept { $messages ->
    [one] one message
   *[other] { $messages } messages
} with this domain’s signature.
spam-read-network = You have read and kept { $messages ->
    [one] one message
   *[other] { $messages } messages
} that came from this network.
spam-not-sent-on = It was not sent on: { $score } points, and nothing from { $bar } on leaves this house, for others would take the house for its sender.
spam-blocked = { $sender } is blocked { $scope ->
    [own] by the person
    [domain] for the whole domain
   *[house] for the whole house
}.
spam-allowed = { $sender } is allowed { $scope ->
    [own] by the person
    [domain] for the whole domain
   *[house] for the whole house
}, and so is let in.
spam-allowed-forged = { $sender } is allowed, but this message is not proved to be theirs: the filter decides.
spam-words-junk = In junk one finds { $words }.
spam-words-good = In good mail one finds { $words }.
spam-words-own-junk = In what this person calls junk one finds { $words }.
spam-words-own-good = In what this person wants one finds { $words }.
spam-sign-address-in-name = The name shows the address { $shown }, but { $author } sends it.
spam-sign-domain-in-name = The name shows { $shown }, but { $author } sends it.
spam-sign-look-alike = { $domain } is made to look like { $known }.
spam-sign-mixed-scripts = { $domain } mixes alphabets to look like another name.
spam-sign-hidden-text = { $words ->
    [one] One word is
   *[other] { $words } words are
} there that nobody sees.
spam-sign-link-mismatch = A link shows { $shown } and leads to { $leads_to }.
spam-sign-program = The attachment { $name } is a program.
spam-sign-disguised-name = The attachment { $name } hides what it is.
spam-sign-macros = The document { $name } holds macros.
spam-sign-locked-archive = The archive { $name } is locked: nobody could look into it.
spam-sign-date-ahead = It is dated { $days ->
    [one] a day
   *[other] { $days } days
} ahead.
spam-sign-date-behind = It is dated { $days ->
    [one] a day
   *[other] { $days } days
} ago.
# Refused before anybody judged it.
refused-circles = The message goes in circles: it has come through too many hosts, or through this one too often.
refused-script = The recipient’s own rules refuse the message.
refused-author = { $address } may not write in the name that stands in From or Sender.
refused-size = The message is larger than this house takes.
refused-form = The message is no text of lines as mail wants it.
refused-full = The mailbox is full.
refused-limits = The account has sent as much as it may for now, or the message goes to more people than it may write to.
refused-closed = The account was closed to all who were logged in; whoever it belongs to must log in again.
refused-larger = The message is larger than the mailbox may be.
refused-unserved = The address leads to nobody who could take it.
refused-recipient = The address takes no mail from there.
