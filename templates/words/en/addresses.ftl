# Addresses: why something was not done.
failure-address-form = “{ $text }” is not an address. An address looks like ann@example.org.
failure-address-length = “{ $text }” is not an address: what stands before the @ has 1 to 64 bytes.
failure-address-domain = “{ $text }” is not an address: what stands after the @ is not a domain. An address looks like ann@example.org.
failure-targets = An alias leads to 1 to { $most } addresses.
failure-alias-loop = This would lead in a circle, and mail would reach nobody: { $way }.
