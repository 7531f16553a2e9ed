//! Accounts, mailboxes, messages, queue: SQL, blobs, one writer
