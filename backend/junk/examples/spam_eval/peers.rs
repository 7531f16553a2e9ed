//! Other filters over the same folds: each learns from all folds but one and judges that one.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use relais_junk::Class;

use crate::corpus::Letter;

/// SpamAssassin as a library in one process, for a process a message would take hours. Local tests only, as `-L`.
/// Reads `learn CLASS FILE` and `check FILE` by lines; answers each check with its score and CPU milliseconds.
const SPAMASSASSIN: &str = r#"
use strict; use warnings; use Mail::SpamAssassin;
my $folder = shift;
my $filter = Mail::SpamAssassin->new({ local_tests_only => 1, dont_copy_prefs => 1, userprefs_filename => "$folder/none",
    userstate_dir => $folder, post_config_text => "use_bayes 1\nbayes_path $folder/bayes\nbayes_auto_learn 0\nuse_txrep 0\nuse_auto_welcomelist 0\n" });
$filter->init(1);
my $learns = 0;
$| = 1;
while (my $line = <STDIN>) {
    chomp $line;
    my ($act, $rest) = split / /, $line, 2;
    if ($act eq "learn") {
        $filter->init_learner({ caller_will_untie => 1 }) unless $learns; $learns = 1;
        my ($class, $file) = split / /, $rest, 2;
        my $mail = $filter->parse(slurp($file));
        $filter->learn($mail, undef, $class eq "spam", 0)->finish; $mail->finish;
    } else {
        if ($learns) { $filter->rebuild_learner_caches; $filter->finish_learner; $learns = 0; }
        my ($user, $system) = times;
        my $mail = $filter->parse(slurp($rest), 1);
        my $status = $filter->check($mail);
        my ($then_user, $then_system) = times;
        printf "%.4f %.3f\n", $status->get_score, 1000 * ($then_user + $then_system - $user - $system);
        $status->finish; $mail->finish;
    }
}
sub slurp { open my $file, "<:raw", shift or die; local $/; my $all = <$file>; return [ split /^/m, $all ] }
"#;

/// What a filter says of each message, in the corpus' order; the higher, the worse.
pub(crate) struct Judged {
    pub(crate) scores: Vec<f64>,
    /// CPU time a message; none where it was not taken singly.
    pub(crate) millis: Option<f64>,
}

/// Every peer that is there. What they said is kept, for they take long; a missing one is said loudly.
pub(crate) fn all(
    letters: &[Letter],
    folds: usize,
    seed: u64,
    folder: &Path,
) -> anyhow::Result<Vec<(&'static str, Judged)>> {
    type Judge = fn(&[Letter], usize, &Path) -> anyhow::Result<Judged>;
    let peers: [(&str, Judge, bool); 2] = [
        ("bogofilter", bogofilter, is_there("bogofilter", &["--version"])),
        ("spamassassin", spamassassin, is_there("perl", &["-MMail::SpamAssassin", "-e", "1"])),
    ];
    let mut found = Vec::new();
    for (name, judge, is_there) in peers {
        if !is_there {
            eprintln!("\nMISSING: {name} is not installed, and nothing is measured of it (apt-get install {name})\n");
            continue;
        }
        let kept = folder.join(format!("{name}-{folds}-{seed}-{:016x}.scores", fingerprint(letters)));
        let judged = match Judged::read(&kept, letters.len()) {
            Some(judged) => judged,
            None => judge(letters, folds, folder)?,
        };
        fs::write(&kept, judged.to_text())?;
        found.push((name, judged));
    }
    Ok(found)
}

/// Of who is in which fold.
fn fingerprint(letters: &[Letter]) -> u64 {
    letters.iter().fold(0, |sum: u64, letter| {
        let name = letter.file.file_name().unwrap_or_default().as_encoded_bytes();
        name.iter()
            .chain(&letter.fold.to_le_bytes())
            .fold(sum, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3))
    })
}

impl Judged {
    /// Milliseconds, then a score a line.
    fn to_text(&self) -> String {
        let scores: String = self.scores.iter().map(|score| format!("{score}\n")).collect();
        format!("{}\n{scores}", self.millis.unwrap_or(f64::NAN))
    }

    fn read(file: &Path, count: usize) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        let numbers: Vec<f64> = text.lines().map(|line| line.parse().ok()).collect::<Option<_>>()?;
        let (millis, scores) = numbers.split_first()?;
        (scores.len() == count)
            .then(|| Self { scores: scores.to_vec(), millis: Some(*millis).filter(|millis| !millis.is_nan()) })
    }
}

/// bogofilter with its own defaults.
fn bogofilter(letters: &[Letter], folds: usize, folder: &Path) -> anyhow::Result<Judged> {
    let mut scores = vec![0.0; letters.len()];
    let mut millis = 0.0;
    for fold in 0..folds {
        let database = fresh(&folder.join(format!("bogofilter-{fold}")))?;
        for (class, option) in [(Class::Ham, "-n"), (Class::Junk, "-s")] {
            let learnt = letters.iter().filter(|letter| letter.fold != fold && letter.class == class);
            let list = list(learnt.map(|letter| &letter.file));
            run(Command::new("bogofilter").arg("-d").arg(&database).args([option, "-b"]), &list)?;
        }
        let (own, asked): (Vec<usize>, Vec<&PathBuf>) = letters
            .iter()
            .enumerate()
            .filter(|(_, letter)| letter.fold == fold)
            .map(|(at, one)| (at, &one.file))
            .unzip();
        let before = children_millis()?;
        let said = run(Command::new("bogofilter").arg("-d").arg(&database).args(["-b", "-v", "-T"]), &list(asked))?;
        millis += children_millis()? - before;
        let said: Vec<&str> = said.lines().collect();
        ensure!(said.len() == own.len(), "bogofilter judged {} of {}", said.len(), own.len());
        for (index, line) in own.into_iter().zip(said) {
            let score = line.rsplit(' ').find_map(|word| word.parse().ok());
            scores[index] = score.with_context(|| format!("no score: {line}"))?;
        }
    }
    Ok(Judged { scores, millis: Some(millis / letters.len() as f64) })
}

/// SpamAssassin with Debian's rules, its Bayes learnt from the same mail, nothing asked of the network.
fn spamassassin(letters: &[Letter], folds: usize, folder: &Path) -> anyhow::Result<Judged> {
    let mut scores = vec![0.0; letters.len()];
    let mut millis = 0.0;
    for fold in 0..folds {
        let state = fresh(&folder.join(format!("spamassassin-{fold}")))?;
        let mut orders = String::new();
        for letter in letters.iter().filter(|letter| letter.fold != fold) {
            let class = if letter.class == Class::Junk { "spam" } else { "ham" };
            orders.push_str(&format!("learn {class} {}\n", letter.file.display()));
        }
        let own: Vec<usize> = (0..letters.len()).filter(|index| letters[*index].fold == fold).collect();
        for index in &own {
            orders.push_str(&format!("check {}\n", letters[*index].file.display()));
        }
        let said = run(Command::new("perl").args(["-e", SPAMASSASSIN]).arg(&state), &orders)?;
        let said: Vec<&str> = said.lines().collect();
        ensure!(said.len() == own.len(), "SpamAssassin judged {} of {}", said.len(), own.len());
        for (index, line) in own.into_iter().zip(said) {
            let (score, took) = line.split_once(' ').with_context(|| format!("no score: {line}"))?;
            scores[index] = score.parse()?;
            millis += took.parse::<f64>()?;
        }
    }
    Ok(Judged { scores, millis: Some(millis / letters.len() as f64) })
}

/// Whether a program is there.
fn is_there(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn fresh(folder: &Path) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    Ok(folder.to_owned())
}

fn list<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> String {
    files.into_iter().map(|file| format!("{}\n", file.display())).collect()
}

/// What a program says to `input`.
fn run(command: &mut Command, input: &str) -> anyhow::Result<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut stdin = child.stdin.take().context("stdin")?;
    let input = input.to_owned();
    let feeder = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output()?;
    // bogofilter's exit status is its last verdict.
    feeder.join().ok().context("feeder")??;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// CPU time of children that ended (proc(5), fields 16 and 17, in hundredths of a second).
fn children_millis() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().collect();
    let field = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).context("proc/self/stat");
    Ok((field(13)? + field(14)?) * 10.0)
}
