//! cargo, called by a task that cargo itself runs.

use std::path::PathBuf;
use std::process::Command;

/// cargo in the project's root, as called from a shell. What `cargo xtask` says of its own package to whom it runs is taken away: ring's build script looks at
/// the same variables, so that ring and all above it would be compiled anew.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(crate::root());
    for (name, _) in std::env::vars_os() {
        let is_of_the_caller =
            name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
        if is_of_the_caller {
            command.env_remove(name);
        }
    }
    command
}

/// Where it puts what it makes.
pub(crate) fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::root().join("target"), PathBuf::from)
}
