# What other filters say of a message: ClamAV, rspamd, milters.
filters-clean = { $filter } has nothing against the message.
filters-virus = { $filter } found a virus in it: { $name }.
filters-rated-take = { $filter } gives it { $score } points and would take it: { $symbols }.
filters-rated-junk = { $filter } gives it { $score } points and takes it for junk: { $symbols }.
filters-rated-later = { $filter } gives it { $score } points and wants it to come again later: { $symbols }.
filters-rated-reject = { $filter } gives it { $score } points and would refuse it: { $symbols }.
filters-quarantine = { $filter } wants it put aside: { $why }.
filters-changed = { $filter } lets it pass and makes { $count ->
    [one] one change
   *[other] { $count } changes
} to its header.
filters-put-off = { $filter } puts it off: { $reply }.
filters-refused = { $filter } refuses it: { $reply }.
filters-discarded = { $filter } wants it thrown away.
filters-too-large = { $filter } was not asked: the message is larger than the { $octets } octets that filters are shown.
filters-too-large-for-it = { $filter } did not look at all of it: the message is larger than it takes.
filters-unreachable = { $filter } cannot be connected to: { $why }.
filters-silent = { $filter } did not answer in time.
filters-busy = { $filter } could not be asked in time: too many messages wait for it.
filters-broken = The connection to { $filter } broke: { $why }.
filters-malformed = What { $filter } answered is not understood: { $what }.
filters-failed = { $filter } says that it failed: { $why }.
filters-resting = { $filter } was not asked: it was down a moment ago, and will be tried again soon.
filters-up = { $filter } answers.
