//! The queue's worker: routes, MX, SMTP client, retries, notices
