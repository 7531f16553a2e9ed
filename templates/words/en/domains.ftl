# Domains: why something was not done.
failure-domain-form = “{ $text }” is not a domain. A domain looks like example.org.
failure-domain-removed = { $domain } was removed not long ago and is kept for a while. Restore it, or add it once it is gone for good.
failure-too-many-other-names = A domain has { $most } other names at most.
