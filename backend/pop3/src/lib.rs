//! POP3: codec and session machine
