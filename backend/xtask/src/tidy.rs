//! The house's rules that no compiler keeps. Each fault is a line that says where and what.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::tally::Tally;

/// Words and languages: they do no I/O.
const PURE: &[&str] = &["tokio", "tokio-util", "sqlx", "axum"];

/// Who may use whom, as in docs/ARCHITECTURE.md: the crate, ours that it may use, others' that it must never see.
const ROOMS: &[(&str, &[&str], &[&str])] = &[
    ("model", &[], PURE),
    ("words", &[], PURE),
    ("message", &["model"], PURE),
    ("sasl", &["model"], PURE),
    ("smtp", &["model", "message", "sasl"], PURE),
    ("imap", &["model", "message", "sasl"], PURE),
    ("pop3", &["model", "message", "sasl"], PURE),
    ("sieve", &["model", "message", "sasl"], PURE),
    ("msgauth", &["model", "message"], PURE),
    ("junk", &["model", "message"], PURE),
    ("reading", &["model", "message"], PURE),
    ("filters", &["model"], &["axum", "sqlx"]),
    ("store", &["model", "message"], &["axum"]),
    ("finding", &["model", "message", "store"], &["axum", "sqlx"]),
    ("filing", &["model", "message", "msgauth", "sieve", "store"], &["axum", "sqlx"]),
    ("reception", &["model", "message", "sasl", "msgauth", "junk", "filters", "store", "filing"], &["axum", "sqlx"]),
    ("delivery", &["model", "message", "smtp", "msgauth", "store", "filing"], &["axum", "sqlx"]),
    ("dnscheck", &["model", "smtp", "msgauth", "store"], &["axum", "sqlx"]),
    ("certs", &["model", "store"], &["axum", "sqlx"]),
    ("moving", &["model", "imap", "store"], &["axum", "sqlx"]),
    (
        "service",
        &[
            "model",
            "message",
            "imap",
            "msgauth",
            "junk",
            "reading",
            "sieve",
            "filters",
            "store",
            "finding",
            "filing",
            "reception",
            "dnscheck",
            "certs",
            "moving",
        ],
        &["axum", "sqlx"],
    ),
    (
        "maild",
        &[
            "model",
            "message",
            "sasl",
            "smtp",
            "imap",
            "pop3",
            "sieve",
            "store",
            "finding",
            "reception",
            "certs",
            "service",
        ],
        &["axum", "sqlx", "hickory-resolver"],
    ),
    ("courier", &["service"], &["axum", "sqlx"]),
    ("httpd", &["model", "words", "message", "reading", "service"], &["sqlx"]),
    ("testkit", &["model"], &["sqlx"]),
    ("bench", &["model", "msgauth", "testkit"], &["sqlx"]),
    ("xtask", &["model", "testkit"], &["sqlx"]),
];

/// Sees all rooms, and wires them.
const BINARY: &str = "relais";

/// Gives a line for each fault.
type Rule = fn(&Path) -> anyhow::Result<Vec<String>>;

/// Checks all rules.
pub(crate) fn run() -> anyhow::Result<Tally> {
    let root = crate::root();
    let mut tally = Tally::default();
    let rules: [(&str, Rule); 9] = [
        ("rooms use only those that they may", edges),
        ("a crate says first what it is", crate_docs),
        ("every RFC that is named stands in docs/rfc.md", rfc_list),
        ("both engines have the same migrations", migrations),
        ("every test that docs/threats.md names is there", named_tests),
        ("nothing is left for later", left_overs),
        ("no path of this machine", machine_paths),
        ("only tokens.css names a colour or a pixel", raw_styles),
        ("a template has no style, script or raw text of its own", raw_templates),
    ];
    for (rule, check) in rules {
        let faults = check(&root).with_context(|| rule.to_owned())?;
        tally += Tally::of(faults.is_empty());
        println!("{} {rule}", if faults.is_empty() { "ok  " } else { "FAIL" });
        for fault in faults {
            println!("     {fault}");
        }
    }
    Ok(tally)
}

fn edges(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for (name, folder) in crates(root)? {
        let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml"))?.parse()?;
        let is_linted = manifest.get("lints").and_then(|lints| lints.get("workspace")).is_some();
        if !is_linted {
            faults.push(format!("{name}: Cargo.toml lacks [lints] workspace = true"));
        }
        let Some((_, may_use, never)) = ROOMS.iter().find(|(room, ..)| *room == name) else {
            if name != BINARY {
                faults.push(format!("{name} is no room of the house; see docs/ARCHITECTURE.md"));
            }
            continue;
        };
        let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table).cloned().unwrap_or_default();
        for dependency in dependencies.keys() {
            let is_wrong = match dependency.strip_prefix("relais-") {
                Some(ours) => !may_use.contains(&ours),
                None => never.contains(&dependency.as_str()),
            };
            if is_wrong {
                faults.push(format!("{name} must not use {dependency}"));
            }
        }
    }
    Ok(faults)
}

fn crate_docs(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for (name, folder) in crates(root)? {
        for file in ["src/lib.rs", "src/main.rs"] {
            let Ok(text) = fs::read_to_string(folder.join(file)) else { continue };
            if !text.starts_with("//! ") {
                faults.push(format!("{name}/{file} does not start with what the crate is"));
            }
        }
    }
    Ok(faults)
}

fn rfc_list(root: &Path) -> anyhow::Result<Vec<String>> {
    let listed = listed_rfcs(&fs::read_to_string(root.join("docs/rfc.md"))?);
    let mut faults = Vec::new();
    for file in sources(root)? {
        for number in rfc_numbers(&read(root, &file)).difference(&listed) {
            faults.push(format!("{}: RFC {number}", file.display()));
        }
    }
    Ok(faults)
}

fn named_tests(root: &Path) -> anyhow::Result<Vec<String>> {
    let table = fs::read_to_string(root.join("docs/threats.md"))?;
    let code: Vec<(PathBuf, String)> =
        sources(root)?.into_iter().map(|file| (file.clone(), read(root, &file))).collect();
    let is_there = |room: &str, test: &str| {
        let (folder, function) = (Path::new("backend").join(room), format!("fn {test}("));
        code.iter().any(|(file, text)| file.starts_with(&folder) && text.contains(&function))
    };
    let named = table.split('`').filter_map(|words| words.split_once("::"));
    Ok(named.filter(|(room, test)| !is_there(room, test)).map(|(room, test)| format!("{room}::{test}")).collect())
}

/// The first cell of each row.
fn listed_rfcs(table: &str) -> BTreeSet<u32> {
    table.lines().filter_map(|row| row.strip_prefix("| ")?.split(' ').next()?.parse().ok()).collect()
}

/// Every `RFC 5321` and `RFC5321`.
fn rfc_numbers(text: &str) -> BTreeSet<u32> {
    let after = text.match_indices("RFC").filter_map(|(at, _)| text.get(at + 3..));
    let number = |rest: &str| {
        let digits: String = rest.trim_start_matches(' ').chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    after.filter_map(number).collect()
}

fn migrations(root: &Path) -> anyhow::Result<Vec<String>> {
    let steps = |engine: &str| -> anyhow::Result<BTreeSet<String>> {
        let folder = root.join("migrations").join(engine);
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    let (sqlite, postgres) = (steps("sqlite")?, steps("postgres")?);
    Ok(sqlite.symmetric_difference(&postgres).map(|step| format!("{step} stands on one side only")).collect())
}

fn left_overs(root: &Path) -> anyhow::Result<Vec<String>> {
    // Written in two halves, so that this file does not find itself.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("unimple", "mented!("), concat!("#[ig", "nore")];
    let mut faults = Vec::new();
    for file in sources(root)? {
        for (line, number) in read(root, &file).lines().zip(1..) {
            if let Some(mark) = marks.iter().find(|mark| line.contains(**mark)) {
                faults.push(format!("{}:{number}: {mark}", file.display()));
            }
        }
    }
    Ok(faults)
}

fn machine_paths(root: &Path) -> anyhow::Result<Vec<String>> {
    let own = root.display().to_string();
    let files = tracked(root)?;
    let names_it = |file: &&PathBuf| read(root, file).contains(&own);
    Ok(files.iter().filter(names_it).map(|file| file.display().to_string()).collect())
}

/// `1px` is a line's width.
fn raw_styles(root: &Path) -> anyhow::Result<Vec<String>> {
    let is_ours = |file: &Path| file.extension().is_some_and(|kind| kind == "css") && !file.ends_with("tokens.css");
    faulty_lines(root, "web/css", is_ours, names_raw_style)
}

/// What the pages' security policy would refuse, and what would not be escaped.
fn raw_templates(root: &Path) -> anyhow::Result<Vec<String>> {
    const RAW: [&str; 4] = [" style=", "<style", "|safe", "<script>"];
    let is_page = |file: &Path| file.extension().is_some_and(|kind| kind == "html");
    faulty_lines(root, "templates", is_page, |line| {
        let has_handler = line.match_indices(" on").any(|(at, _)| {
            line.get(at + 3..).and_then(|rest| rest.split_once('=')).is_some_and(|(name, _)| {
                (2..12).contains(&name.len()) && name.chars().all(|letter| letter.is_ascii_lowercase())
            })
        });
        has_handler || RAW.iter().any(|raw| line.contains(raw))
    })
}

/// Lines of files below `folder` that `is_fault` finds something in.
fn faulty_lines(
    root: &Path,
    folder: &str,
    is_ours: fn(&Path) -> bool,
    is_fault: fn(&str) -> bool,
) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for file in tracked(root)?.iter().filter(|file| file.starts_with(folder) && is_ours(file)) {
        for (line, number) in read(root, file).lines().zip(1..).filter(|(line, _)| is_fault(line)) {
            faults.push(format!("{}:{number}: {}", file.display(), line.trim()));
        }
    }
    Ok(faults)
}

fn names_raw_style(line: &str) -> bool {
    let is_hex = |word: &str| {
        word.strip_prefix('#').is_some_and(|digits| {
            matches!(digits.len(), 3 | 4 | 6 | 8) && digits.chars().all(|digit| digit.is_ascii_hexdigit())
        })
    };
    let is_pixels = |word: &str| word.strip_suffix("px").is_some_and(|size| size != "1" && size.parse::<f64>().is_ok());
    let mut words = line.split([' ', ':', ';', ',', '(', ')']);
    words.any(|word| is_hex(word) || is_pixels(word) || matches!(word, "rgb" | "rgba" | "hsl" | "hsla" | "oklch"))
}

/// Name and folder of each crate.
fn crates(root: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join("backend"))? {
        let folder = entry?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // The fuzz targets are a workspace of their own.
        if folder.join("Cargo.toml").exists() && name != "fuzz" {
            found.push((name, folder));
        }
    }
    found.sort();
    Ok(found)
}

fn sources(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let is_source = |file: &PathBuf| file.extension().is_some_and(|kind| kind == "rs" || kind == "sql");
    Ok(tracked(root)?.into_iter().filter(is_source).collect())
}

/// The files that git knows or would add, from the root.
fn tracked(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .output()
        .context("git lists the files")?;
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect())
}

/// A file's text; what isn't text, or is gone, has none.
fn read(root: &Path, file: &Path) -> String {
    fs::read_to_string(root.join(file)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_numbers_are_found_however_written() {
        let found = rfc_numbers("RFC 9051 §6, RFC5321; an RFC; RFCs 7162");
        assert_eq!(found, BTreeSet::from([5321, 9051]));
    }

    #[test]
    fn a_raw_colour_is_found_and_a_line_is_not() {
        for line in ["color: #fff;", "border: 2px solid var(--line)", "background: rgb(0 0 0)", "margin:-3px"] {
            assert!(names_raw_style(line), "{line}");
        }
        for line in ["border: 1px solid var(--line);", "a[href='#main'] { padding: 0.5rem }", "width: var(--px)"] {
            assert!(!names_raw_style(line), "{line}");
        }
    }

    #[test]
    fn the_list_is_a_table() {
        assert_eq!(
            listed_rfcs("| RFC | what |\n|---|---|\n| 5321 | SMTP |\n| 9051 | IMAP |"),
            BTreeSet::from([5321, 9051])
        );
    }

    #[test]
    fn a_room_uses_only_rooms_before_it() {
        for (at, (name, may_use, _)) in ROOMS.iter().enumerate() {
            for used in *may_use {
                let is_before = ROOMS.iter().take(at).any(|(room, ..)| room == used);
                assert!(is_before, "{name} uses {used}, which stands after it");
            }
        }
    }
}
