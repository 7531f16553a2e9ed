//! SMTP, LMTP and submission: codec and session machines, server and client
