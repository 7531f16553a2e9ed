//! RFC 5322 and MIME: read, build, and the facts that clients ask for
