//! The doors for mail: listeners, TLS, one driver a protocol
