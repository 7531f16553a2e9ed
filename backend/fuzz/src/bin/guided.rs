//! libFuzzer over one target: it keeps what reaches new branches and mutates that further.
//!
//! `RELAIS_FUZZ_TARGET` names the target; all else is libFuzzer's own command line.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<relais_fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("RELAIS_FUZZ_TARGET").unwrap_or_default();
    relais_fuzz::find(&name).unwrap_or_else(|| panic!("RELAIS_FUZZ_TARGET={name} names no target"))
});

fuzz_target!(|octets: &[u8]| (*TARGET)(octets));
