//! A map that forgets what nobody touches.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;

/// At most about `capacity` entries, in two halves: what is touched is in the young one; when that is full it becomes the old one, and what
/// was old is forgotten. No clock, no list: whoever wants entries to expire keeps their time in them.
#[derive(Debug)]
pub(crate) struct Bounded<K, V> {
    half: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Eq + Hash, V> Bounded<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { half: (capacity / 2).max(1), young: HashMap::new(), old: HashMap::new() }
    }

    /// What stands there, without touching it.
    pub(crate) fn look(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// Puts a value in, young.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    /// All that stands there, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.young.iter().chain(&self.old)
    }

    /// Forgets what `is_wanted` doesn't want; how many that were.
    pub(crate) fn retain(&mut self, mut is_wanted: impl FnMut(&K, &V) -> bool) -> usize {
        let before = self.young.len() + self.old.len();
        self.young.retain(|key, value| is_wanted(key, value));
        self.old.retain(|key, value| is_wanted(key, value));
        before - self.young.len() - self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_small_and_keeps_what_is_used() {
        let mut map = Bounded::new(100);
        for number in 0..10_000 {
            map.insert(number, number);
            map.insert(-1, number);
            assert!(map.young.len() + map.old.len() <= 100);
        }
        assert_eq!(map.look(&-1), Some(&9999));
        assert_eq!(map.look(&9999), Some(&9999));
        assert_eq!(map.look(&1), None);
        map.remove(&9999);
        assert_eq!(map.look(&9999), None);
        assert_eq!(map.iter().filter(|(key, _)| **key == -1).count(), 1);
        let (all, gone) = (map.iter().count(), map.retain(|key, _| *key == -1));
        assert_eq!((gone, map.iter().count()), (all - 1, 1));
    }
}
