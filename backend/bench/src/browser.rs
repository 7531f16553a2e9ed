//! People with browsers: curl with a jar of cookies each, for it knows TLS and costs the machine next to nothing.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};

/// Somebody who is signed in, or is about to.
pub(crate) struct Browser {
    origin: &'static str,
    jar: PathBuf,
    /// Sent with each timed request.
    header: Option<String>,
}

/// A page that was read as a whole.
pub(crate) struct Page {
    pub(crate) text: String,
    /// Where it was found after all redirections, without the origin.
    pub(crate) path: String,
    /// As they were transferred, compressed.
    pub(crate) octets: u64,
}

/// One timed request.
#[derive(Clone, Copy)]
pub(crate) struct Visit {
    /// From the request to the answer's last octet.
    pub(crate) millis: f64,
}

impl Browser {
    /// With an empty jar in `folder`.
    pub(crate) fn new(origin: &'static str, folder: &Path, number: usize) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let port = origin.rsplit(':').next().unwrap_or_default();
        let jar = folder.join(format!("jar-{port}-{number}"));
        std::fs::write(&jar, "")?;
        Ok(Self { origin, jar, header: None })
    }

    pub(crate) fn with_header(&mut self, header: String) {
        self.header = Some(header);
    }

    fn command(&self) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--insecure", "--compressed", "--cookie"]).arg(&self.jar);
        curl.arg("--cookie-jar").arg(&self.jar);
        curl
    }

    /// Reads a page.
    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Page> {
        self.read(path, &[])
    }

    /// Sends a form.
    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Page> {
        self.read(path, fields)
    }

    fn read(&self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Page> {
        let mut curl = self.command();
        for (name, value) in fields {
            curl.arg("--data-urlencode").arg(format!("{name}={value}"));
        }
        curl.args(["--location", "--write-out", "\n%{http_code} %{size_download} %{url_effective}"]);
        let output = curl.arg(format!("{}{path}", self.origin)).stdin(Stdio::null()).output().context("curl")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let (text, told) = text.rsplit_once('\n').with_context(|| format!("{path}: {said}"))?;
        let [code, octets, place] = told.splitn(3, ' ').collect::<Vec<_>>()[..] else {
            anyhow::bail!("{path}: {told}");
        };
        ensure!(code == "200", "{path}: {code}");
        let path = place.strip_prefix(self.origin).unwrap_or(place).to_owned();
        Ok(Page { text: text.to_owned(), path, octets: octets.parse()? })
    }

    /// Begins to ask for `paths`, one after the other on one connection.
    fn visit(&self, paths: &[String]) -> anyhow::Result<Child> {
        let mut curl = self.command();
        curl.args(["--write-out", "%{http_code} %{time_pretransfer} %{time_total}\n", "--config", "-"]);
        if let Some(header) = &self.header {
            curl.args(["--header", header]);
        }
        let mut child = curl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
        let mut list = String::new();
        for path in paths {
            let _written = writeln!(list, "url = \"{}{path}\"\noutput = \"/dev/null\"", self.origin);
        }
        child.stdin.take().context("curl's input")?.write_all(list.as_bytes())?;
        Ok(child)
    }
}

/// All ask at once, each for their own paths; what each request took.
///
/// # Errors
/// Also where an answer isn't 200.
pub(crate) fn at_once(browsers: &[Browser], paths: impl Fn(usize) -> Vec<String>) -> anyhow::Result<Vec<Visit>> {
    let children: Vec<Child> =
        browsers.iter().enumerate().map(|(at, browser)| browser.visit(&paths(at))).collect::<anyhow::Result<_>>()?;
    let mut visits = Vec::new();
    for child in children {
        let output = child.wait_with_output()?;
        for line in String::from_utf8(output.stdout)?.lines() {
            visits.push(read_visit(line)?);
        }
    }
    Ok(visits)
}

fn read_visit(line: &str) -> anyhow::Result<Visit> {
    let mut words = line.split(' ');
    let code = words.next().unwrap_or_default();
    ensure!(code == "200", "an answer of {line}");
    let mut seconds = || words.next().and_then(|word| word.parse::<f64>().ok()).context("curl's times");
    let (from, to) = (seconds()?, seconds()?);
    Ok(Visit { millis: (to - from) * 1000.0 })
}

/// What stands between `before` and the next `behind` in a page.
pub(crate) fn between<'a>(text: &'a str, before: &str, behind: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(behind)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_curl_tells_is_read() {
        assert!((read_visit("200 0.25 0.75").unwrap().millis - 500.0).abs() < 1e-6);
        assert!(read_visit("302 0.1 0.2").is_err());
        assert!(read_visit("").is_err());
        assert_eq!(between("<input name=\"a\" value=\"x\">", "value=\"", "\""), Some("x"));
        assert_eq!(between("nothing", "value=\"", "\""), None);
    }
}
