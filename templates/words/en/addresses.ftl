# Addresses: why something was not done.
failure-address-form = “{ $text }” is not an address. An address looks like ann@example.org.
failure-address-length = “{ $text }” is not an address: what stands before the @ has 1 to 64 bytes.
failure-address-domain = “{ $text }” is not an address: what stands after the @ is not a domain. An address looks like ann@example.org.
failure-targets = An alias leads to 1 to { $most } addresses.
failure-alias-senders = Name 1 to { $most } people who may send as it.
failure-alias-ended = That is in the past: it would take no mail at all.
failure-alias-ended-text = Use plain letters without accents: mail servers pass no others on.
failure-alias-expression = This is not a regular expression: { $why }
failure-too-many-patterns = The domain has { $most } wildcards and regular expressions, and may have no more.
failure-alias-loop = This would lead in a circle, and mail would reach nobody: { $way }.
