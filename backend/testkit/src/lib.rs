//! Clocks, peers and fixtures for tests
