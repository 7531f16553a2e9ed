//! The player of transcripts.
//!
//! The first line names the RFC section, the second the settings: `server …` or `client …`. Then come inputs, each followed by
//! what is to come of it:
//!
//! ```text
//! C: S:    a line of the client's or server's with its CRLF; `\r \n \0 \xHH \\` are escapes
//! C> S>    the same without CRLF
//! !word    an event: !expire !shutdown !hangup !abandon; for clients also !mail !rcpt !send !quit
//! =word    what the driver is told: =tls =discard =close =idle =ask … =done
//! E: M:    envelope and lines of a message that was taken
//! F:       a recipient's fate
//! 250-...  any lines of that code
//! ```
//!
//! `RELAIS_BLESS=1` writes the files anew: read the difference.

use std::path::Path;

/// A machine with its driver.
pub(crate) trait Play {
    /// Takes one input: octets or an event.
    fn feed(&mut self, octets: &[u8]);
    fn event(&mut self, event: &str);
    /// Drives it until it waits; gives what came of it, a line each.
    fn drive(&mut self) -> Vec<String>;
}

pub(crate) fn play(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    let settings = text.lines().nth(1).unwrap_or_default().strip_prefix("# ").expect("settings on the second line");
    let begin = || -> Box<dyn Play> {
        match settings.split_once(' ').unwrap_or((settings, "")) {
            ("server", words) => Box::new(crate::server::Player::new(words)),
            ("client", words) => Box::new(crate::client::Player::new(words)),
            _ => panic!("{}: server or client", path.display()),
        }
    };
    let peer = if settings.starts_with("server") { 'C' } else { 'S' };
    let bless = std::env::var_os("RELAIS_BLESS").is_some();
    if bless {
        let mut out = text.split_inclusive('\n').take(2).collect::<String>();
        run(&text, peer, begin(), usize::MAX, |_, inputs, log| {
            for line in inputs.iter().map(|line| (*line).to_owned()).chain(log) {
                out.push_str(&line);
                out.push('\n');
            }
        });
        return std::fs::write(path, out).unwrap();
    }
    let pieces: &[usize] = if settings.contains(" whole") { &[usize::MAX] } else { &[usize::MAX, 1] };
    for piece in pieces {
        run(&text, peer, begin(), *piece, |expected, _, log| {
            let matches = if *piece == 1 { fits_apart(expected, &log) } else { fits(expected, &log) };
            assert!(matches, "{} by {piece}\nexpected {expected:#?}\ncame {log:#?}", path.display());
        });
    }
}

/// Parts the file into inputs and what came of them, plays the inputs, and has each part judged.
fn run(
    text: &str,
    peer: char,
    mut player: Box<dyn Play>,
    piece: usize,
    mut judge: impl FnMut(&[&str], &[&str], Vec<String>),
) {
    let is_input = |line: &str| line.starts_with('!') || line.starts_with(peer);
    let lines: Vec<&str> = text.lines().skip(2).filter(|line| !line.is_empty()).collect();
    let mut rest = lines.as_slice();
    loop {
        let inputs = rest.iter().take_while(|line| is_input(line)).count();
        let (inputs, after) = rest.split_at(inputs);
        let expected = after.iter().take_while(|line| !is_input(line)).count();
        let (expected, after) = after.split_at(expected);
        let mut log = Vec::new();
        let mut octets = Vec::new();
        let mut deliver = |octets: &mut Vec<u8>, player: &mut Box<dyn Play>| {
            for part in octets.chunks(piece.min(octets.len()).max(1)) {
                player.feed(part);
                log.extend(player.drive());
            }
            octets.clear();
        };
        for line in inputs {
            match line.split_at(2) {
                (mark, text) if mark.ends_with(':') => {
                    octets.extend(unescape(text.strip_prefix(' ').unwrap_or(text)));
                    octets.extend(b"\r\n");
                }
                (mark, text) if mark.ends_with('>') => octets.extend(unescape(text.strip_prefix(' ').unwrap_or(text))),
                _ => {
                    deliver(&mut octets, &mut player);
                    player.event(line.strip_prefix('!').unwrap());
                }
            }
        }
        deliver(&mut octets, &mut player);
        log.extend(player.drive());
        judge(expected, inputs, log);
        rest = after;
        if rest.is_empty() {
            return;
        }
    }
}

/// Octet by octet, replies are written sooner: what was written is compared apart from the rest.
fn fits_apart(expected: &[&str], log: &[String]) -> bool {
    [true, false].into_iter().all(|is_written| {
        let belongs = |line: &&str| line.starts_with(['C', 'S']) == is_written;
        let expected: Vec<&str> = expected.iter().copied().filter(belongs).collect();
        let log: Vec<String> = log.iter().filter(|line| belongs(&line.as_str())).cloned().collect();
        fits(&expected, &log)
    })
}

/// Line by line; `S: 250-...` stands for any lines that begin with `S: 250-`.
fn fits(expected: &[&str], log: &[String]) -> bool {
    match (expected.split_first(), log.split_first()) {
        (None, None) => true,
        (Some((wanted, later)), log_line) => match (wanted.strip_suffix("..."), log_line) {
            (Some(start), Some((line, rest))) if line.starts_with(start) => fits(expected, rest),
            (Some(_), _) => fits(later, log),
            (None, Some((line, rest))) => wanted == line && fits(later, rest),
            (None, None) => false,
        },
        (None, Some(_)) => false,
    }
}

/// What was written, line by line, as the transcript has it.
pub(crate) fn log_lines(mark: char, octets: &[u8], log: &mut Vec<String>) {
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        log.push(match line.strip_suffix(b"\r\n") {
            Some(line) => format!("{mark}: {}", escape(line)),
            None => format!("{mark}> {}", escape(line)),
        });
    }
}

pub(crate) fn escape(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).replace('\\', "\\\\").replace('\r', "\\r").replace('\n', "\\n").replace('\0', "\\0")
}

fn unescape(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        match octet {
            b'\\' => match rest.next().expect("an escape") {
                b'r' => octets.push(b'\r'),
                b'n' => octets.push(b'\n'),
                b'0' => octets.push(0),
                b'x' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    octets.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
                }
                // `\*9a` is nine times `a`: for lines too long to print.
                b'*' => {
                    let digits: String = rest.clone().take_while(u8::is_ascii_digit).map(char::from).collect();
                    rest.nth(digits.len() - 1);
                    let repeated = rest.next().unwrap();
                    octets.extend(std::iter::repeat_n(repeated, digits.parse().unwrap()));
                }
                other => octets.push(other),
            },
            other => octets.push(other),
        }
    }
    octets
}
