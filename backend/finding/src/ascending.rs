//! What is looked up by key after key, where keys mostly ascend.

/// Something that is known by a key.
pub(crate) trait Keyed {
    fn key(&self) -> i64;
}

impl Keyed for i64 {
    fn key(&self) -> i64 {
        *self
    }
}

impl<T> Keyed for (i64, T) {
    fn key(&self) -> i64 {
        self.0
    }
}

/// What ascends by its keys, for who asks about key after key. A mailbox's messages mostly came in the order of their keys: the next is
/// looked for where the last one was, and only where it isn't there among all.
pub(crate) struct Ascending<'a, T> {
    all: &'a [T],
    /// The first that isn't less than the last key that was asked for.
    at: usize,
    /// The key before it, and its own; where there is none, the least and the greatest of all numbers.
    between: (i64, i64),
}

impl<'a, T: Keyed> Ascending<'a, T> {
    pub(crate) fn new(all: &'a [T]) -> Self {
        let mut ascending = Self { all, at: 0, between: (i64::MIN, i64::MAX) };
        ascending.go(0);
        ascending
    }

    pub(crate) fn find(&mut self, key: i64) -> Option<&'a T> {
        if !self.is_here(key) {
            self.go(self.at + 1);
            if !self.is_here(key) {
                self.go(self.all.partition_point(|one| one.key() < key));
            }
        }
        if key == self.between.1 { self.all.get(self.at) } else { None }
    }

    fn is_here(&self, key: i64) -> bool {
        self.between.0 < key && key <= self.between.1
    }

    fn go(&mut self, at: usize) {
        let key_at = |at: usize| self.all.get(at).map(Keyed::key);
        let before = at.checked_sub(1).map_or(Some(i64::MIN), key_at);
        // Past the end nothing is between.
        self.between = before.map_or((i64::MAX, i64::MIN), |before| (before, key_at(at).unwrap_or(i64::MAX)));
        self.at = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_whatever_order_they_are_asked_for() {
        let all = [2, 3, 5, 8, 13];
        let asked = [0, 1, 2, 3, 4, 5, 13, 14, 20, 21, 8, 8, 7, 6, 2, 0, i64::MAX, i64::MIN, 13];
        for from in 0..asked.len() {
            let mut known = Ascending::new(&all);
            for key in &asked[from..] {
                assert_eq!(
                    known.find(*key).copied(),
                    all.contains(key).then_some(*key),
                    "{key} of {:?}",
                    &asked[from..]
                );
            }
        }
        assert_eq!(Ascending::<i64>::new(&[]).find(1), None);
        assert_eq!(Ascending::new(&[(1, 'a'), (7, 'b')]).find(7), Some(&(7, 'b')));
    }
}
