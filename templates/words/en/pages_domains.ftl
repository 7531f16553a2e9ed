# Domains.
domains-title = Domains
domains-lead = The names after the @ for which this house takes mail.
domains-add = Add a domain
domains-add-lead = Mail for addresses in it is taken as soon as it is here.
domains-added = { $domain } is here. Now add people, or aliases.
domains-none = No domains yet
domains-none-why = A domain is the name after the @. With the first one, people and addresses can follow.
domains-none-removed = Nothing was removed
domains-none-removed-why = A domain that is removed waits here for 30 days, with all its mail, and can be restored.
domains-search = Search domains
domain-name = Domain
domain-name-help = Such as example.org. Letters of any script do.
domain-description = Description
domain-description-help = For those who look after this house; nobody else sees it.
domain-is-enabled = in use
domain-is-disabled = disabled
domain-people = People
domain-aliases = Aliases
domain-settings = Settings
domain-catch-all = Catch-all
domain-catch-all-help = Takes mail for addresses of this domain that nobody has. Empty: such mail is refused, which keeps much spam out.
domain-postmaster = Postmaster
domain-postmaster-help = Who reads what other mail servers write to postmaster@. Empty: the one who has been here longest.
domain-quota = Storage of a new person
domain-max-people = People at most
domain-max-people-help = Empty: no limit.
domain-tenant = Tenant
domain-tenant-help = Domains with the same word here are of one tenant. People share mailboxes with people of their own tenant alone. Empty: of the house itself.
domain-names = Other names
domain-names-lead = Domains that lead here: ann@ of another name is ann@ of this one.
domain-name-other = Another name
domain-name-other-help = Such as example.com. It gets no people of its own.
domain-name-add = Add the name
domain-name-added = { $domain } leads here now.
domain-name-remove = Remove the name
domain-name-remove-title = Remove { $domain }?
domain-name-remove-text = Mail for its addresses is refused from then on. { $domain } and all that is in it stay.
domain-name-removed = { $domain } leads nowhere any more.
domain-ascii = In the DNS
domain-disable = Disable
domain-enable = Enable
domain-disable-title = Disable { $domain }?
domain-disable-text = Its mail and its people’s log-ins are refused until it is enabled again. Nothing is deleted.
domain-disable-people = { $count ->
    [0] Nobody is locked out
    [one] { $count } person is locked out
   *[other] { $count } people are locked out
}
domain-disable-aliases = { $count ->
    [0] No alias stops
    [one] { $count } alias stops
   *[other] { $count } aliases stop
}
domain-disabled = { $domain } is disabled: its mail is refused.
domain-enabled = { $domain } is in use again.
domain-disabled-title = This domain is disabled
domain-disabled-text = Its mail and its people’s log-ins are refused. Nothing is deleted.
domain-remove = Remove the domain
domain-remove-title = Remove { $domain }?
domain-remove-text = Its mail is refused at once. It can be restored with all that is in it for a while; it is gone for good { $until }.
domain-goes-people = { $count ->
    [0] No people
    [one] { $count } person
   *[other] { $count } people
}
domain-goes-messages = { $count ->
    [one] { $count } message, { $size }
   *[other] { $count } messages, { $size }
}
domain-goes-aliases = { $count ->
    [0] No aliases
    [one] { $count } alias
   *[other] { $count } aliases
}
domain-goes-names = { $count ->
    [0] No other names
    [one] { $count } other name
   *[other] { $count } other names
}
domain-removed = { $domain } is removed. It can be restored for 30 days.
domain-restored = { $domain } is back, with all that was in it.
domain-reports-lead = What others say of mail with this domain’s name.
domain-senders-lead = Who is always let in or refused for all of this domain.
domain-quota-all = Storage of all its people together
domain-quota-all-help = Such as 50 GB. Once it is full, mail for all of them is refused. Empty: no limit.
domain-quota-messages = Messages of all its people together
domain-quota-messages-help = Empty: no limit.
