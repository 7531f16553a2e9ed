//! Lists the migrations, so that they are part of the program. sqlx has a macro for that, which runs in the compiler and has both databases' drivers with it:
//! sqlx, rustls and SQLite would be compiled a second time.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../../migrations");
    let migrations = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../migrations");
    let mut listed = String::new();
    for engine in ["sqlite", "postgres"] {
        writeln!(listed, "const {}: &[Step] = &[", engine.to_uppercase())?;
        for entry in fs::read_dir(migrations.join(engine))? {
            let path = entry?.path();
            let (version, words) = parts(&path).ok_or_else(|| format!("{} is not NUMBER_WORDS.sql", path.display()))?;
            let path = path.display();
            writeln!(listed, "    Step {{ version: {version}, words: {words:?}, sql: include_str!(r\"{path}\") }},")?;
        }
        writeln!(listed, "];")?;
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("migrations.rs"), listed)?;
    Ok(())
}

/// Of `0001_the_first.sql`: 1 and `the first`.
fn parts(path: &Path) -> Option<(i64, String)> {
    let (version, words) = path.file_name()?.to_str()?.strip_suffix(".sql")?.split_once('_')?;
    Some((version.parse().ok()?, words.replace('_', " ")))
}
