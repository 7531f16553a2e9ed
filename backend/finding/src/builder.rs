//! Messages that are being taken into the index, in memory until they are written as one segment; and segments that become one.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::io;
use std::path::Path;

use crate::letter::{Place, each_term};
use crate::number;
use crate::segment::{Segment, Writer, Written};

/// What a term costs in memory beside its octets.
const TERM_OCTETS: usize = 184;
/// What one message may add to what is held, about; one with more words than that is looked at itself by who searches.
const MESSAGE_OCTETS: usize = 32 << 20;

#[derive(Debug, Default)]
struct Posting {
    /// Behind the last message.
    next: u32,
    distances: Vec<u8>,
    positions: Vec<u8>,
    /// The last position in the last message, and where its number begins.
    last: Option<(u32, usize)>,
}

impl Posting {
    /// Notes a message, unless it is the last one, and a position in it; tells by how many octets this grew.
    fn note(&mut self, doc: u32, position: Option<u32>) -> usize {
        let before = self.distances.len() + self.positions.len();
        if self.begin(doc) {
            self.last = None;
        }
        if let Some(position) = position {
            self.note_position(position);
        }
        self.distances.len() + self.positions.len() - before
    }

    /// Notes a message with all its positions, as they stand in a segment.
    fn copy(&mut self, doc: u32, positions: &[u8]) {
        if self.begin(doc) {
            self.positions.extend_from_slice(positions);
        }
    }

    /// Whether the message isn't the last one.
    fn begin(&mut self, doc: u32) -> bool {
        let Some(distance) = doc.checked_sub(self.next) else { return false };
        number::put(distance, &mut self.distances);
        self.next = doc + 1;
        true
    }

    /// A position that isn't less than the last one.
    fn note_position(&mut self, position: u32) {
        let before = match self.last {
            Some((last, _)) if last == position => return,
            Some((last, at)) => {
                // Another follows.
                if let Some(first) = self.positions.get_mut(at) {
                    *first |= 1;
                }
                last
            }
            None => 0,
        };
        self.last = Some((position, self.positions.len()));
        number::put(position.saturating_sub(before) << 1, &mut self.positions);
    }
}

/// Messages and their words.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    terms: HashMap<Box<[u8]>, Posting>,
    keys: Vec<i64>,
    partly: Vec<u32>,
    held_octets: usize,
    term: Vec<u8>,
}

impl Builder {
    /// Takes a message in; `raw` none: it can't be read, or is too large: whoever searches looks at it itself.
    pub(crate) fn add(&mut self, key: i64, raw: Option<&[u8]>) {
        let doc = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.keys.push(key);
        let most = self.held_octets + MESSAGE_OCTETS;
        let is_read = raw.is_some_and(|raw| {
            each_term(raw, &mut |place, position, word| {
                // Whoever makes up a word for every four octets must not have the house's memory for it.
                if self.held_octets < most {
                    self.note(doc, place, position, word);
                }
            })
        });
        if !is_read || self.held_octets >= most {
            self.partly.push(doc);
        }
    }

    fn note(&mut self, doc: u32, place: Place, position: Option<u32>, word: &str) {
        self.term.clear();
        self.term.push(place as u8);
        self.term.extend_from_slice(word.as_bytes());
        if let Some(posting) = self.terms.get_mut(&*self.term) {
            self.held_octets += posting.note(doc, position);
            return;
        }
        let mut posting = Posting::default();
        self.held_octets += self.term.len() + TERM_OCTETS + posting.note(doc, position);
        self.terms.insert(self.term.as_slice().into(), posting);
    }

    /// About so many octets are held.
    pub(crate) const fn held_octets(&self) -> usize {
        self.held_octets
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn keys(&self) -> &[i64] {
        &self.keys
    }

    /// Writes all as a segment.
    pub(crate) fn write(self, path: &Path) -> io::Result<Written> {
        let mut terms: Vec<(Box<[u8]>, Posting)> = self.terms.into_iter().collect();
        terms.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let mut writer = Writer::create(path)?;
        for (term, posting) in &terms {
            writer.add(term, &posting.distances, &posting.positions)?;
        }
        writer.finish(&self.keys, &self.partly)
    }
}

/// Writes the messages of `segments` as one, but for those whose keys are in `gone`. In memory stand a block of each, and four octets a message.
pub(crate) fn merge(segments: &[&Segment], gone: &HashSet<i64>, path: &Path) -> io::Result<Written> {
    let mut writer = Writer::create(path)?;
    let (mut keys, mut partly, mut new_numbers) = (Vec::new(), Vec::new(), Vec::new());
    for segment in segments {
        let mut numbers = Vec::new();
        for key in segment.keys()? {
            let is_gone = gone.contains(&key);
            numbers.push(if is_gone { u32::MAX } else { u32::try_from(keys.len()).unwrap_or(u32::MAX) });
            if !is_gone {
                keys.push(key);
            }
        }
        let number = |doc: &u32| numbers.get(usize::try_from(*doc).ok()?).copied().filter(|new| *new != u32::MAX);
        partly.extend(segment.partly.iter().filter_map(number));
        new_numbers.push(numbers);
    }
    let mut cursors = Vec::new();
    let mut heap = BinaryHeap::new();
    for (at, segment) in segments.iter().enumerate() {
        let cursor = segment.cursor()?;
        heap.extend(cursor.term().map(|term| std::cmp::Reverse((term.to_vec(), at))));
        cursors.push(cursor);
    }
    let (mut current, mut posting): (Vec<u8>, Posting) = (Vec::new(), Posting::default());
    while let Some(std::cmp::Reverse((term, at))) = heap.pop() {
        if term != current {
            end_term(&mut writer, &current, &mut posting)?;
            current = term;
        }
        let (Some(cursor), Some(numbers)) = (cursors.get_mut(at), new_numbers.get(at)) else { continue };
        cursor.each_doc(&mut |doc, positions| {
            let new = usize::try_from(doc).ok().and_then(|doc| numbers.get(doc)).copied();
            // Segments follow one another, so new numbers rise.
            if let Some(new) = new.filter(|new| *new != u32::MAX) {
                posting.copy(new, positions);
            }
        })?;
        cursor.advance()?;
        heap.extend(cursor.term().map(|term| std::cmp::Reverse((term.to_vec(), at))));
    }
    end_term(&mut writer, &current, &mut posting)?;
    writer.finish(&keys, &partly)
}

fn end_term(writer: &mut Writer, term: &[u8], posting: &mut Posting) -> io::Result<()> {
    if !posting.distances.is_empty() {
        writer.add(term, &posting.distances, &posting.positions)?;
    }
    posting.distances.clear();
    posting.positions.clear();
    posting.next = 0;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said to be held is what is held, or half or twice of it.
    #[test]
    fn what_is_held_is_counted() {
        let mut builder = Builder::default();
        for key in 0..300_i64 {
            let words: Vec<String> = (0..100).map(|number| format!("word{key}x{number} common")).collect();
            builder.add(key, Some(format!("Subject: {key}\r\n\r\n{}", words.join(" ")).as_bytes()));
        }
        let entry = size_of::<(Box<[u8]>, Posting)>() + 1;
        let own =
            |term: &[u8], posting: &Posting| term.len() + posting.distances.capacity() + posting.positions.capacity();
        // A table is an eighth larger than what it may be filled with.
        let held = builder.terms.capacity() * 8 / 7 * entry
            + builder.terms.iter().map(|(term, posting)| own(term, posting)).sum::<usize>();
        let counted = builder.held_octets();
        assert!((held / 2..held * 2).contains(&counted), "{counted} counted, {held} held");
    }

    /// Whoever makes up words doesn't get the house's memory for them: the message is known in part, and the next one is taken in.
    #[test]
    fn a_message_has_its_share_of_memory() {
        let words: Vec<String> = (0..250_000).map(|number| format!("w{number}")).collect();
        let mut builder = Builder::default();
        builder.add(7, Some(format!("Subject: many\r\n\r\n{}", words.join(" ")).as_bytes()));
        assert!((MESSAGE_OCTETS..MESSAGE_OCTETS + 1024).contains(&builder.held_octets()));
        builder.add(8, Some(b"Subject: few\r\n\r\nw249999"));
        assert_eq!(builder.partly, [0]);
        assert!(builder.terms.contains_key(&b"\x06W249999"[..]));
    }

    /// A message's positions stand together, and the last one says so.
    #[test]
    fn positions_are_noted() {
        let mut posting = Posting::default();
        for (doc, position) in [(0, 3), (0, 3), (0, 5), (2, 100), (2, 101)] {
            posting.note(doc, Some(position));
        }
        let mut positions = posting.positions.as_slice();
        let numbers: Vec<u32> = std::iter::from_fn(|| number::take(&mut positions)).collect();
        assert_eq!(numbers, [7, 4, 201, 2]);
        assert_eq!(posting.distances, [0, 1]);
        assert_eq!(posting.note(7, None), 1, "a place without positions");
    }
}
