//! Measures the filter beside others by cross-validation; see docs/spam.md.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what a measurement finds is said at the terminal")]
#![allow(clippy::indexing_slicing, clippy::cast_precision_loss, reason = "a tool of developers over a corpus at hand")]
mod corpus;
mod peers;
use std::path::Path;
use relais_junk::*;
use relais_junk::training::*;
use relais_message::*;
fn env<T: std::str::FromStr>(n: &str, d: T) -> T { std::env::var(n).ok().and_then(|v| v.parse().ok()).unwrap_or(d) }
fn source(raw: &[u8]) -> u64 {
    let h = &raw[..header_octets(raw)];
    let mut key = None;
    for n in ["List-Id", "X-Beenthere", "Mailing-List", "X-Mailman-Version", "From"] {
        if let Some(f) = fields(h).find(|f| f.is(n)) { 
            let v = decode_header_value(f.value).to_lowercase();
            key = Some(if n == "From" { v.rsplit('@').next().unwrap_or("").trim_end_matches('>').to_owned() } else { v });
            break; }
    }
    key.unwrap_or_default().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
}
fn main() -> anyhow::Result<()> {
    let target = std::env::args().nth(1).unwrap();
    let target = Path::new(&target);
    let letters = corpus::read(Path::new("/work/shared/suites/spam/train.tar.gz"), target, 5, 1)?;
    let t = std::time::Instant::now();
    let features: Vec<Features> = letters.iter().map(|l| Features::of(&l.octets, &Structure::read(&l.octets), &Surroundings::default())).collect();
    println!("features {:?} avg {}", t.elapsed(), features.iter().map(|f| f.len()).sum::<usize>() / features.len());
    let skip = env("SKIP", String::new());
    let skip: Vec<&str> = skip.split(',').collect();
    let ours = |f: &training::F, _: &Features| !skip.contains(&format!("{:?}", f.place).as_str());
    let training = Training { min_sources: env("SRC", 2), rounds: env("ROUNDS", 30), rate: env("RATE", 0.5), decay: env("DECAY", 1e-6), ham_weight: env("HAMW", 1.0), seed: 1, keep: env("KEEP", 200_000) };
    let mut scores = vec![0.0_f64; letters.len()];
    for fold in 0..5 {
        let ex: Vec<Example<'_>> = letters.iter().zip(&features).filter(|(l, _)| l.fold != fold).map(|(l, f)| Example { features: f, class: l.class, source: source(&l.octets) }).collect();
        let t = std::time::Instant::now();
        let g = training.train(&ex, &ours);
        if fold == 0 { println!("trained {:?} size {} unit {} bias {}", t.elapsed(), g.size(), g.unit(), g.bias()); }
        for (i, (l, f)) in letters.iter().zip(&features).enumerate() { if l.fold == fold { scores[i] = f64::from(g.log_odds(f)); if env("SIGNS", 0) == 1 { scores[i] += f.signs().iter().map(|s| f64::from(s.points())).sum::<f64>().min(6.0); } } }
    }
    let s: String = letters.iter().zip(&scores).map(|(l, s)| format!("{} {} {} {s}\n", l.file.display(), l.fold, l.class == Class::Junk)).collect();
    std::fs::write(target.join(env("OUT", "ours.scores".to_owned())), s)?;
    if env("SHOWSIGNS", 0) == 1 {
        for (l, f) in letters.iter().zip(&features) { for s in f.signs() { println!("{:?} {s:?} {}", l.class, l.file.file_name().unwrap().to_string_lossy()); } }
    }
    Ok(())
}
