//! Where the suites lie, and how they are read.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use yaml_rust2::{Yaml, YamlLoader};

/// The documents of a file of `$RELAIS_SUITES`, else of `../shared/suites` beside the project. None where it is absent, which is said aloud.
pub(crate) fn documents(file: &str) -> Option<Vec<Yaml>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/suites");
    let folder = std::env::var_os("RELAIS_SUITES").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(folder.join(file)) else {
        println!("\nSKIPPED: {file} is not there; set RELAIS_SUITES\n");
        return None;
    };
    Some(YamlLoader::load_from_str(&without_doubles(&text)).unwrap())
}

/// A case whose name stands twice in one document is a case of its own: YAML would not have it.
fn without_doubles(text: &str) -> String {
    let (mut seen, mut out) = (BTreeSet::new(), String::new());
    for line in text.lines() {
        if line == "---" {
            seen.clear();
        }
        match line.strip_suffix(':').filter(|key| key.starts_with("  ") && !key.starts_with("   ")) {
            Some(key) if !seen.insert(key) => writeln!(out, "{key}_again:").unwrap(),
            _ => writeln!(out, "{line}").unwrap(),
        }
    }
    out
}

/// The texts of one, or of several.
pub(crate) fn texts(value: &Yaml) -> Vec<String> {
    match value {
        Yaml::Array(items) => items.iter().flat_map(texts).collect(),
        Yaml::String(text) | Yaml::Real(text) => vec![text.clone()],
        Yaml::Integer(number) => vec![number.to_string()],
        _ => Vec::new(),
    }
}
