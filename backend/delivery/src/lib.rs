//! The queue's worker: routes, MX, SMTP client, retries, notices

mod backoff;
mod dial;
mod dns;
mod hosts;
mod memory;
mod ports;
mod route;
mod tls;

#[cfg(test)]
mod testing;
