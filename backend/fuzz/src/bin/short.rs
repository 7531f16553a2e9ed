//! The short runner: every seed, then mutations of them for a while. `short [SECONDS] [TARGET]`; by default 2 seconds each.
//!
//! It needs nothing but Rust, and the same seeds give the same inputs, so that a finding in CI is one here.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use relais_fuzz::{TARGETS, Target};

/// Longer inputs find the same, later.
const MAX_OCTETS: usize = 4096;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(2);
    let only = arguments.next();
    let chosen = TARGETS.iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name));
    let mut is_clean = true;
    for (name, target) in chosen {
        is_clean &= run(name, *target, Duration::from_secs(seconds));
    }
    if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Says `ok TARGET` or `FAIL TARGET` with the file that holds what broke it.
fn run(name: &str, target: Target, duration: Duration) -> bool {
    let seeds = seeds(name);
    if seeds.is_empty() {
        println!("FAIL {name} has no seeds in corpus/{name}");
        return false;
    }
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let started_at = Instant::now();
    let mut runs = 0_u64;
    let mut next = |runs: usize| seeds.get(runs).cloned().unwrap_or_else(|| chance.mutate(&seeds));
    while runs < seeds.len() as u64 || started_at.elapsed() < duration {
        let input = next(usize::try_from(runs).unwrap_or(usize::MAX));
        runs += 1;
        if catch_unwind(AssertUnwindSafe(|| target(&input))).is_err() {
            println!("FAIL {name} (after {runs} runs: {})", keep(name, &input).display());
            return false;
        }
    }
    println!("ok   {name} ({runs} runs, {} seeds)", seeds.len());
    true
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files.iter().filter_map(|file| fs::read(file).ok()).collect()
}

/// What broke a target, for a look and then for the corpus.
fn keep(name: &str, input: &[u8]) -> PathBuf {
    let file = std::env::temp_dir().join(format!("relais-fuzz-{name}"));
    drop(fs::write(&file, input));
    file
}

/// `xorshift64*`.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next()).unwrap_or_default() % limit.max(1)
    }

    /// A seed with one to eight changes.
    fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(8) {
            self.change(&mut input, seeds);
        }
        input.truncate(MAX_OCTETS);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        const TELLING: &[u8] = b"\r\n\0\"\\(){}<>@.,:;=?*-+$&%~ 09azAZ\x7f\x80\xc3\xff";
        let at = self.below(input.len() + 1);
        let end = at + self.below((input.len() - at).min(32) + 1);
        match self.below(6) {
            0 => drop(input.drain(at..end)),
            1 => input.insert(at, TELLING[self.below(TELLING.len())]),
            2 if at < input.len() => input[at] = TELLING[self.below(TELLING.len())],
            3 if at < input.len() => input[at] ^= 1 << self.below(8),
            4 => {
                let copy = input[at..end].to_vec();
                let to = self.below(input.len() + 1);
                input.splice(to..to, copy);
            }
            _ => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len() + 1);
                let octets = self.below((other.len() - from).min(64) + 1);
                input.splice(at..end, other[from..from + octets].iter().copied());
            }
        }
    }
}
