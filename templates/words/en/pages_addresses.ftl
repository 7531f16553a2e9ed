# Addresses.
addresses-title = Addresses
addresses-lead = Every address of this house, and where it leads.
addresses-search = Search addresses and targets
addresses-try = Try an address
addresses-none = No addresses yet
addresses-none-why = The first ones come with the first people.
addresses-more-targets = { $count ->
    [one] and { $count } more
   *[other] and { $count } more
}
address-kind = Kind
address-kind-any = All kinds
address-kind-person = Person
address-kind-alias = Alias
address-kind-forward = Forward
address-kind-catch-all = Catch-all
address-kind-domain-alias = Other name
address-leads = Leads to
address-is-off = takes no mail
alias-add = Add an alias
alias-add-lead = An address without a mailbox: what comes to it goes on to others, here or elsewhere.
alias-added = { $address } is here.
alias-targets = Where it leads
alias-targets-help = One address a line. Those of other hosts make it a forward.
alias-remove = Remove the alias
alias-remove-title = Remove { $address }?
alias-remove-text = Mail to it is refused from then on, unless the domain has a catch-all.
alias-goes = It no longer leads to { $target }
alias-removed = { $address } is removed.
try-lead = See step by step where mail to an address would go. Nothing is sent.
try-act = Try
try-reaches = { $count ->
    [one] It reaches { $addresses }
   *[other] It reaches { $count } mailboxes or hosts: { $addresses }
}
try-reaches-nobody = It reaches nobody: mail to it is refused
try-elsewhere = It is not an address of this house: mail to it goes out to its own host
try-mailbox = A mailbox of this house.
try-suspended = The person is suspended: mail is refused.
try-alias = An alias.
try-catch-all = Nobody has this address, but the domain has a catch-all.
try-domain-alias = Another name of a domain.
try-other-host = At another host.
try-nobody = Nobody has this address: mail is refused.
try-disabled = The domain is disabled: mail is refused.
try-circle = It was met before: a circle, which reaches nobody new.
try-too-far = Too many steps: mail is refused.
try-leads = It leads on to { $targets }.
try-detail = The part after the +, “{ $detail }”, is kept for the person’s filters.
