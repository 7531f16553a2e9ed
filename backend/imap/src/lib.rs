//! IMAP4rev2 and IMAP4rev1: codec, session framing and the pure algorithms
