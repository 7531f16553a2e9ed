//! What may come in, and as what: relay rules, log-in and its limits, submission
