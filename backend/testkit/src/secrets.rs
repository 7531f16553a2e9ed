//! What may never stand in a log, however it is written there.

use std::io::{self, BufRead};

use data_encoding::BASE64;

/// A word for tests to put into passwords, subjects and bodies: who logs one of these logs it, too, and its fixture hears of it.
pub const UNSPEAKABLE: &str = "unspeakable";

/// The password whose hashes, made by other systems, tests bring along.
const CORRECT_HORSE: &str = "correct horse";

/// The forms in which secrets would be found: as they are, in base64 (wherever in what was encoded they stood), and as a list of
/// octets' numbers.
#[derive(Debug)]
pub struct Secrets {
    forms: Vec<String>,
}

impl Secrets {
    /// What tests plant, and `more`.
    pub fn new<'a>(more: impl IntoIterator<Item = &'a str>) -> Self {
        Self { forms: [UNSPEAKABLE, CORRECT_HORSE].into_iter().chain(more).flat_map(forms).collect() }
    }

    /// The first line that tells one.
    ///
    /// # Errors
    /// The log can't be read.
    pub fn told_in(&self, log: impl BufRead) -> io::Result<Option<String>> {
        for line in log.split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            if self.forms.iter().any(|form| line.contains(form)) {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }
}

fn forms(secret: &str) -> Vec<String> {
    let encoded = (0..3).map(|before| {
        let text = BASE64.encode(&[&vec![0; before], secret.as_bytes()].concat());
        // The letters that hold bits of neighbours say nothing.
        let first = [0, 2, 3][before];
        let last = [0, 3, 2][(before + secret.len()) % 3];
        text[first..text.len() - last].to_owned()
    });
    let texts: Vec<String> = encoded.chain([secret.to_owned()]).collect();
    let numbers = |text: &String| text.bytes().map(|octet| octet.to_string()).collect::<Vec<_>>().join(", ");
    texts.iter().map(numbers).chain(texts.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, is_told: bool) {
        let told = Secrets::new(["hunter2x"]).told_in(line.as_bytes()).unwrap();
        assert_eq!(told.is_some(), is_told, "{line}");
    }

    #[test]
    fn a_secret_is_found_in_each_form() {
        for name in ["", "a", "an", "ann", "anna@relais.test"] {
            for after in ["", "!", "!!", "!!!"] {
                let plain = format!("\0{name}\0hunter2x{after}");
                let encoded = BASE64.encode(plain.as_bytes());
                check(&format!("INFO AUTH PLAIN {encoded}"), true);
                check(&format!("TRACE {:?}", encoded.as_bytes()), true);
                check(&format!("DEBUG {plain:?}"), true);
                check(&format!("TRACE {:?}", plain.as_bytes()), true);
            }
        }
        check("WARN Subject: unspeakable things", true);
        check("INFO hunter2 logged in", false);
        check("", false);
    }
}
