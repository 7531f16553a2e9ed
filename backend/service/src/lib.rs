//! Use-cases of the command line, and later of panel and API
