//! Measures the filter beside others by cross-validation, and makes the model that ships; see docs/spam.md.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what a measurement finds is said at the terminal")]
#![allow(
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::type_complexity,
    reason = "a tool of developers over a corpus at hand"
)]

mod corpus;
mod figures;
mod peers;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use relais_junk::{Class, Example, Features, General, Own, Place, Sign, Surroundings, Training, score};
use relais_message::Structure;

use corpus::{Letter, Parting};
use figures::Figures;

/// So often each message is looked at to take the time; the quickest counts, for others use the machine, too.
const TIMED_ROUNDS: u32 = 5;
/// A message of this size must not take longer than the promise.
const PROMISED_OCTETS: usize = 10 * 1024;

/// Mail scored above this goes into Junk, in log-odds (docs/spam.md).
const JUNK_BAR: f32 = 3.0;
/// Scores that somebody may choose as bars.
const BARS: [f64; 5] = [0.0, 3.0, 6.0, 9.0, 12.0];
/// A source with so much ham is somebody's newsletter.
const LEAST_OF_SOURCE: usize = 24;
/// So many of its messages are moved into Junk.
const MOVED: [usize; 5] = [1, 3, 5, 10, 20];
/// So many others were answered.
const ANSWERED: usize = 20;
/// One message of so many is asked about afterwards.
const ONE_OF: usize = 7;

/// Names that tell where the corpus was gathered, and nothing about mail: its collectors' hosts and the words that they put
/// in place of their own. No feature that contains one is learnt.
const ARTEFACTS: [&str; 16] = [
    "taint.org",
    "netnoteinc",
    "jmason",
    "zzzz",
    "yyyy",
    "xxxx",
    "slashnull",
    "lerctr",
    "lerami",
    "spamassassin",
    "webnote",
    "phobos",
    "jalapeno",
    "example.com",
    "arsecandle",
    "ruhr-uni",
];

#[derive(Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct Arguments {
    /// An archive with the folders ham/ and spam/
    corpus: PathBuf,
    /// Where the corpus is unpacked and the peers keep what they learn
    #[arg(long)]
    work: PathBuf,
    /// How many folds
    #[arg(long, default_value_t = 10)]
    folds: usize,
    /// For the order of messages and the parting into folds
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Part by chance alone, though a near-identical message may have been learnt: as the other half of the corpus is parted from this one
    #[arg(long)]
    plain: bool,
    /// Train on all of the corpus and write the model here, instead of measuring
    #[arg(long)]
    train: Option<PathBuf>,
    /// Measure the model that ships instead of training one a fold: for a corpus that it has not seen
    #[arg(long)]
    shipped: bool,
    /// Leave the other filters out
    #[arg(long)]
    alone: bool,
    /// Say why the worst-judged messages are judged so
    #[arg(long)]
    explain: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let parting = Parting { folds: arguments.folds, seed: arguments.seed, is_plain: arguments.plain };
    let letters = corpus::read(&arguments.corpus, &arguments.work, parting)?;
    let features: Vec<Features> = letters.iter().map(|letter| look(&letter.octets)).collect();
    if let Some(file) = &arguments.train {
        let all: Vec<usize> = (0..letters.len()).collect();
        let bytes = train(&letters, &cleaned(&letters, &features), &all, arguments.seed).to_bytes();
        fs::write(file, &bytes).with_context(|| format!("cannot write {}", file.display()))?;
        println!("{}: {} octets", file.display(), bytes.len());
        return Ok(());
    }
    let ham = letters.iter().filter(|letter| letter.class == Class::Ham).count();
    println!("{ham} ham, {} spam, {} folds, seed {}\n", letters.len() - ham, arguments.folds, arguments.seed);
    let ours = if arguments.shipped { shipped(&features)? } else { cross_validate(&letters, &features, &arguments) };
    let mut rows = vec![("relais", Figures::of(&letters, &ours.scores), Some(time(&letters)?))];
    if !arguments.alone {
        for (name, judged) in peers::all(&letters, arguments.folds, arguments.seed, &arguments.work)? {
            rows.push((name, Figures::of(&letters, &judged.scores), judged.millis));
        }
    }
    figures::print(&rows);
    let [low, middle, high] = figures::interval(&letters, &ours.scores, arguments.seed).map(percent);
    println!(
        "\nhad the same mail been drawn by chance: {low} to {high} caught in nine of ten draws, {middle} in the middle"
    );
    bars(&letters, &ours.scores);
    signs(&letters, &features);
    if !arguments.shipped {
        accounts(&letters, &features, &ours.models);
    }
    if arguments.explain {
        explain(&letters, &features, &ours);
    }
    let verdict = &rows[0].1;
    let is_best = rows[1..].iter().all(|(_, other, _)| verdict.caught > other.caught);
    println!(
        "\n{} caught at 0.1 % of ham misjudged: {}",
        percent(verdict.caught),
        if is_best { "more than the others" } else { "NOT more than the others" }
    );
    Ok(())
}

fn look(octets: &[u8]) -> Features {
    Features::of(octets, &Structure::read(octets), &Surroundings::default())
}

/// What our filter said, with the model of each fold.
struct Ours {
    scores: Vec<f64>,
    models: Vec<General>,
}

fn train(letters: &[Letter], features: &[Features], chosen: &[usize], seed: u64) -> General {
    let examples: Vec<Example<'_>> = chosen
        .iter()
        .map(|at| Example { features: &features[*at], class: letters[*at].class, source: letters[*at].source })
        .collect();
    let is_artefact = |_: Place, text: &str| ARTEFACTS.iter().any(|name| text.contains(name));
    Training { seed, ..Training::default() }.train(&examples, &is_artefact)
}

/// Features to learn from: without the octets that are there only because an artefact is.
fn cleaned(letters: &[Letter], features: &[Features]) -> Vec<Features> {
    letters
        .iter()
        .zip(features)
        .map(|(letter, features)| {
            let mut cleaned = features.clone();
            let left: HashSet<u32> = look(&without_artefacts(&letter.octets)).iter().map(|(hash, ..)| hash).collect();
            cleaned.retain(|hash, place| !place.is_octets() || left.contains(&hash));
            cleaned
        })
        .collect()
}

/// Without the words that an artefact is in.
fn without_artefacts(octets: &[u8]) -> Vec<u8> {
    let is_end = |octet: u8| octet.is_ascii_whitespace() || b"<>\"(),;=".contains(&octet);
    let words = octets.chunk_by(|one, other| is_end(*one) == is_end(*other));
    let is_artefact = |word: &[u8]| {
        let word = String::from_utf8_lossy(word).to_ascii_lowercase();
        ARTEFACTS.iter().any(|name| word.contains(name))
    };
    words.filter(|word| !is_artefact(word)).flatten().copied().collect()
}

fn cross_validate(letters: &[Letter], features: &[Features], arguments: &Arguments) -> Ours {
    let mut ours = Ours { scores: vec![0.0; letters.len()], models: Vec::new() };
    let cleaned = cleaned(letters, features);
    for fold in 0..arguments.folds {
        let (asked, learnt): (Vec<usize>, Vec<usize>) = (0..letters.len()).partition(|at| letters[*at].fold == fold);
        let general = train(letters, &cleaned, &learnt, arguments.seed);
        for at in asked {
            ours.scores[at] = f64::from(score(&general, None, &features[at]).log_odds);
        }
        ours.models.push(general);
    }
    ours
}

fn shipped(features: &[Features]) -> anyhow::Result<Ours> {
    let general = General::shipped()?;
    let scores = features.iter().map(|features| f64::from(score(&general, None, features).log_odds)).collect();
    Ok(Ours { scores, models: vec![general] })
}

/// Milliseconds a message, from octets to score; and the promise for one of 10 KiB.
fn time(letters: &[Letter]) -> anyhow::Result<f64> {
    let general = General::shipped()?;
    let mut millis = Vec::new();
    for letter in letters {
        let rounds = (0..TIMED_ROUNDS).map(|_| {
            let begin = Instant::now();
            std::hint::black_box(score(&general, None, &look(&letter.octets)));
            begin.elapsed().as_secs_f64() * 1000.0
        });
        millis.push((letter.octets.len(), rounds.fold(f64::INFINITY, f64::min)));
    }
    let near = millis.iter().filter(|(octets, _)| (PROMISED_OCTETS * 3 / 4..PROMISED_OCTETS * 5 / 4).contains(octets));
    let near: Vec<f64> = near.map(|(_, millis)| *millis).collect();
    let worst = near.iter().copied().fold(0.0, f64::max);
    println!(
        "messages near 10 KiB: {:.2} ms on average, {worst:.2} ms at worst ({} of them)\n",
        near.iter().sum::<f64>() / near.len() as f64,
        near.len()
    );
    Ok(millis.iter().map(|(_, millis)| millis).sum::<f64>() / millis.len() as f64)
}

/// What lies above a few fixed scores, for a bar cannot be fitted to mail that is yet to come.
fn bars(letters: &[Letter], scores: &[f64]) {
    println!();
    for bar in BARS {
        let above = |class: Class| {
            let of_class = letters.iter().zip(scores).filter(|(letter, _)| letter.class == class);
            let scores: Vec<f64> = of_class.map(|(_, score)| *score).collect();
            (scores.iter().filter(|score| **score > bar).count(), scores.len())
        };
        let ((ham, _), (junk, all)) = (above(Class::Ham), above(Class::Junk));
        println!("above {bar:.1}: {ham} ham, {} of spam", percent(junk as f64 / all as f64));
    }
}

/// How often each rule speaks, by class.
fn signs(letters: &[Letter], features: &[Features]) {
    println!("\nsigns found in ham and spam:");
    let names: [(&str, fn(&Sign) -> bool); 9] = [
        ("address in name", |sign| matches!(sign, Sign::AddressInName { .. })),
        ("domain in name", |sign| matches!(sign, Sign::DomainInName { .. })),
        ("mixed scripts", |sign| matches!(sign, Sign::MixedScripts { .. })),
        ("hidden text", |sign| matches!(sign, Sign::HiddenText { .. })),
        ("link mismatch", |sign| matches!(sign, Sign::LinkMismatch { .. })),
        ("program", |sign| matches!(sign, Sign::Program { .. } | Sign::DisguisedName { .. })),
        ("macros or lock", |sign| matches!(sign, Sign::Macros { .. } | Sign::LockedArchive { .. })),
        ("dated ahead", |sign| matches!(sign, Sign::DateAhead { .. })),
        ("dated behind", |sign| matches!(sign, Sign::DateBehind { .. })),
    ];
    for (name, is_it) in names {
        let count = |class: Class| {
            let all = letters.iter().zip(features).filter(|(letter, _)| letter.class == class);
            all.filter(|(_, features)| features.signs().iter().any(is_it)).count()
        };
        println!("  {name:<16} {:>4} ham {:>4} spam", count(Class::Ham), count(Class::Junk));
    }
}

/// What an account's model does: for each source of much ham, somebody has no use for it and moves so many of its
/// messages into Junk, and answered a few others. Then the rest of that source is judged, and everybody else's mail.
fn accounts(letters: &[Letter], features: &[Features], models: &[General]) {
    let judge = |at: usize, own: Option<&Own>| score(&models[letters[at].fold], own, &features[at]).log_odds;
    let before: Vec<f32> = (0..letters.len()).map(|at| judge(at, None)).collect();
    let mut sources: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for at in (0..letters.len()).filter(|at| letters[*at].class == Class::Ham) {
        sources.entry(letters[at].source).or_default().push(at);
    }
    sources.retain(|_, of_source| of_source.len() >= LEAST_OF_SOURCE);
    println!(
        "\naccounts that have no use for one source ({} of them), and moved so many of it into Junk:",
        sources.len()
    );
    println!("| moved | of the rest into Junk | other ham into Junk | spam out of it |\n|---|---|---|---|");
    for moved in MOVED {
        let mut shares = [(0_usize, 0_usize); 3];
        for (source, of_source) in &sources {
            let mut own = Own::default();
            for at in &of_source[..moved] {
                own.learn(&features[*at], Class::Junk);
            }
            let others = (0..letters.len()).filter(|at| letters[*at].source != *source);
            let (ham, junk): (Vec<usize>, Vec<usize>) = others.partition(|at| letters[*at].class == Class::Ham);
            let answered: Vec<usize> = ham.iter().copied().step_by(ham.len() / ANSWERED).take(ANSWERED).collect();
            for at in &answered {
                own.learn(&features[*at], Class::Ham);
            }
            let mut count = |which: usize, asked: &[usize], is_moved: &dyn Fn(f32, f32) -> bool| {
                let changed = asked.iter().filter(|at| is_moved(before[**at], judge(**at, Some(&own)))).count();
                shares[which] = (shares[which].0 + changed, shares[which].1 + asked.len());
            };
            count(0, &of_source[moved..], &|_, after| after > JUNK_BAR);
            let asked: Vec<usize> = ham.into_iter().filter(|at| !answered.contains(at)).step_by(ONE_OF).collect();
            count(1, &asked, &|before, after| before <= JUNK_BAR && after > JUNK_BAR);
            let asked: Vec<usize> = junk.into_iter().step_by(ONE_OF).collect();
            count(2, &asked, &|before, after| before > JUNK_BAR && after <= JUNK_BAR);
        }
        let shares = shares.map(|(some, all)| percent(some as f64 / all.max(1) as f64));
        println!("| {moved} | {} | {} | {} |", shares[0], shares[1], shares[2]);
    }
}

/// The worst of each class, with their reasons.
fn explain(letters: &[Letter], features: &[Features], ours: &Ours) {
    for (class, sign) in [(Class::Ham, -1.0), (Class::Junk, 1.0)] {
        let mut worst: Vec<usize> = (0..letters.len()).filter(|at| letters[*at].class == class).collect();
        worst.sort_by(|one, other| (sign * ours.scores[*one]).total_cmp(&(sign * ours.scores[*other])));
        for at in worst.into_iter().take(12) {
            println!("\n{class:?} {:.2} {}", ours.scores[at], file_name(&letters[at].file));
            for reason in score(&ours.models[letters[at].fold % ours.models.len()], None, &features[at]).reasons {
                println!("    {reason:?}");
            }
        }
    }
}

fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

pub(crate) fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}
