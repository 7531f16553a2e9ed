//! The corpus: `ham/` and `spam/` in an archive, and its parting into folds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use relais_junk::Class;
use relais_message::{decode_header_value, fields, header_octets};

/// Messages whose words are so alike belong together (Jaccard's measure).
const ALIKE: f64 = 0.7;
/// Below so many different words, only the same words are alike.
const FEW_WORDS: usize = 12;

/// One message of the corpus.
pub(crate) struct Letter {
    pub(crate) file: PathBuf,
    pub(crate) class: Class,
    pub(crate) octets: Vec<u8>,
    /// 0 to the number of folds.
    pub(crate) fold: usize,
    /// The list that it came through, else the author's domain, as a hash.
    pub(crate) source: u64,
}

/// How a corpus is parted into folds.
#[derive(Clone, Copy)]
pub(crate) struct Parting {
    pub(crate) folds: usize,
    pub(crate) seed: u64,
    /// Each message for itself, as if mail were drawn by chance; else near-identical ones stay together.
    pub(crate) is_plain: bool,
}

/// Unpacks `archive` into `folder`, reads it in the order of names and parts it.
pub(crate) fn read(archive: &Path, folder: &Path, parting: Parting) -> anyhow::Result<Vec<Letter>> {
    fs::create_dir_all(folder)?;
    let status = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder).status().context("tar")?;
    ensure!(status.success(), "{} is no archive", archive.display());
    let mut letters = Vec::new();
    for (name, class) in [("ham", Class::Ham), ("spam", Class::Junk)] {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder.join(name))? {
            files.push(entry?.path());
        }
        files.sort();
        for file in files {
            let octets = fs::read(&file)?;
            let source = source(&octets);
            letters.push(Letter { file, class, octets, fold: 0, source });
        }
    }
    part(&mut letters, parting);
    Ok(letters)
}

fn part(letters: &mut [Letter], Parting { folds, seed, is_plain }: Parting) {
    let first = if is_plain { (0..letters.len()).collect() } else { first_alike(letters) };
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, first) in first.iter().enumerate() {
        groups.entry(*first).or_default().push(index);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    let mut chance = Chance(seed);
    groups.sort_by_cached_key(|_| chance.next());
    // The largest first, each to the fold that has fewest of its class.
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let mut sizes = vec![[0_usize; 2]; folds];
    for group in groups {
        let class = usize::from(letters[group[0]].class == Class::Junk);
        let fold = (0..folds).min_by_key(|fold| sizes[*fold][class]).unwrap_or(0);
        sizes[fold][class] += group.len();
        for index in group {
            letters[index].fold = fold;
        }
    }
}

/// Of each message the first that it is nearly identical with, maybe itself. All of one first fall in one fold: who learnt one must not be asked
/// about the other.
fn first_alike(letters: &[Letter]) -> Vec<usize> {
    let words: Vec<Vec<u64>> = letters.iter().map(|letter| words(&letter.octets)).collect();
    let mut first: Vec<usize> = (0..letters.len()).collect();
    for one in 0..words.len() {
        for other in 0..one {
            if first[other] == other && are_alike(&words[one], &words[other]) {
                first[one] = other;
                break;
            }
        }
    }
    first
}

fn source(raw: &[u8]) -> u64 {
    let header = &raw[..header_octets(raw)];
    let value = |name: &str| {
        fields(header).find(|field| field.is(name)).map(|field| decode_header_value(field.value).to_lowercase())
    };
    let list = ["List-Id", "X-BeenThere", "Mailing-List"].iter().find_map(|name| value(name));
    let author =
        || value("From").map(|from| from.rsplit('@').next().unwrap_or_default().trim_end_matches('>').to_owned());
    hash(list.or_else(author).unwrap_or_default().as_bytes())
}

/// FNV-1a.
fn hash(octets: &[u8]) -> u64 {
    octets
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The different words of the body, as sorted hashes.
fn words(raw: &[u8]) -> Vec<u64> {
    let body = &raw[header_octets(raw)..];
    let mut words: Vec<u64> =
        body.split(|octet| !octet.is_ascii_alphanumeric()).filter(|word| word.len() >= 3).map(hash).collect();
    words.sort_unstable();
    words.dedup();
    words
}

fn are_alike(one: &[u64], other: &[u64]) -> bool {
    let (few, many) = if one.len() < other.len() { (one, other) } else { (other, one) };
    if few.len() < FEW_WORDS {
        return one == other;
    }
    if (few.len() as f64) < ALIKE * many.len() as f64 {
        return false;
    }
    let (mut common, mut rest) = (0_usize, many);
    for word in few {
        let at = rest.partition_point(|of_many| of_many < word);
        common += usize::from(rest.get(at) == Some(word));
        rest = &rest[at..];
    }
    common as f64 >= ALIKE * (one.len() + other.len() - common) as f64
}

/// Repeatable chance (Steele's and Vigna's).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
