//! Measures the spam filter beside bogofilter and SpamAssassin over the corpus of a suite, or makes the model that ships.
//! docs/spam.md has the protocol; what is run here is `backend/junk/examples/spam_eval`, built for release.

use std::path::PathBuf;

use crate::cargo::{cargo, target_folder};
use crate::tally::Tally;

#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Arguments {
    /// An archive with the folders ham/ and spam/ instead of the suite's
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// How many folds
    #[arg(long, default_value_t = 10)]
    folds: u32,
    /// For the parting into folds and the order of what is learnt
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Part by chance alone, near-identical messages or not
    #[arg(long)]
    plain: bool,
    /// Train on the whole corpus and write the model here (backend/junk/model.bin is the one that ships)
    #[arg(long)]
    train: Option<PathBuf>,
    /// Judge by the model that ships instead of one a fold: for a corpus that it has not seen
    #[arg(long)]
    shipped: bool,
    /// Leave bogofilter and SpamAssassin out
    #[arg(long)]
    alone: bool,
    /// Say why the worst-judged messages are judged so
    #[arg(long)]
    explain: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Tally> {
    let corpus = match &arguments.corpus {
        Some(corpus) => corpus.clone(),
        None => match crate::suite("spam") {
            Some(folder) => folder.join("train.tar.gz"),
            None => return Ok(Tally::skip()),
        },
    };
    let mut cargo = cargo();
    cargo.args(["run", "--quiet", "--release", "--package", "relais-junk", "--example", "spam_eval", "--"]);
    cargo.arg(std::path::absolute(corpus)?).arg("--work").arg(target_folder().join("spam-eval"));
    cargo.arg("--folds").arg(arguments.folds.to_string()).arg("--seed").arg(arguments.seed.to_string());
    if let Some(file) = &arguments.train {
        cargo.arg("--train").arg(std::path::absolute(file)?);
    }
    for (flag, is_set) in [
        ("--plain", arguments.plain),
        ("--shipped", arguments.shipped),
        ("--alone", arguments.alone),
        ("--explain", arguments.explain),
    ] {
        cargo.args(is_set.then_some(flag));
    }
    Ok(Tally::of(cargo.status()?.success()))
}
