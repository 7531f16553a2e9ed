//! What is looked up by key after key, where keys mostly ascend.

/// What is known by ascending keys, for who asks about key after key. A mailbox's messages mostly came in the order of their keys: the next is
/// looked for where the last one was, and only where it isn't there among all.
pub(crate) struct Ascending<'a, T> {
    all: &'a [T],
    key_of: fn(&T) -> i64,
    /// The first that isn't less than the last key that was asked for.
    at: usize,
}

impl<'a, T> Ascending<'a, T> {
    /// `all` ascend by `key_of`.
    pub(crate) const fn new(all: &'a [T], key_of: fn(&T) -> i64) -> Self {
        Self { all, key_of, at: 0 }
    }

    pub(crate) fn find(&mut self, key: i64) -> Option<&'a T> {
        if !self.stands_at(self.at, key) {
            let is_next = self.stands_at(self.at + 1, key);
            self.at = if is_next { self.at + 1 } else { self.all.partition_point(|one| (self.key_of)(one) < key) };
        }
        self.all.get(self.at).filter(|one| (self.key_of)(one) == key)
    }

    /// Whether `at` is the first place whose key isn't less than `key`.
    fn stands_at(&self, at: usize, key: i64) -> bool {
        let is_less = |one: &T| (self.key_of)(one) < key;
        let before = at.checked_sub(1).map(|before| self.all.get(before));
        before.is_none_or(|before| before.is_some_and(is_less)) && !self.all.get(at).is_some_and(is_less)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_whatever_order_they_are_asked_for() {
        let all = [2, 3, 5, 8, 13];
        let asked = [0, 1, 2, 3, 4, 5, 13, 14, 20, 8, 8, 7, 6, 2, 0, 13];
        for from in 0..asked.len() {
            let mut known = Ascending::new(&all, |key| *key);
            for key in &asked[from..] {
                assert_eq!(
                    known.find(*key).copied(),
                    all.contains(key).then_some(*key),
                    "{key} of {:?}",
                    &asked[from..]
                );
            }
        }
        assert_eq!(Ascending::new(&[], |key: &i64| *key).find(1), None);
    }
}
