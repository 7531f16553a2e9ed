//! RFC 2136 against BIND.
