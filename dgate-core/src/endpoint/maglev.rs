//! Maglev consistent hashing.
//!
//! Eisenbud et al., *Maglev: A Fast and Reliable Software Network Load Balancer*, NSDI 2016, section 3.4.

use std::hash::{BuildHasher, Hash};

/// Fixed, so that every node of a cluster makes the same choice.
const HASHER: foldhash::quality::FixedState = foldhash::quality::FixedState::with_seed(0x6467_6174_6521_4d67);

/// The hash of whatever identifies a client.
pub(super) fn hash_key(key: impl Hash) -> u64 {
    HASHER.hash_one(key)
}

/// A table from which the same key always gets the same entry, and in which few places change when entries come
/// and go.
#[derive(Debug)]
pub(super) struct Maglev {
    places: Vec<u16>,
}

impl Maglev {
    /// Fills a table for entries with names and weights.
    pub(super) fn new<'a>(entries: impl Iterator<Item = (&'a str, u32)>) -> Self {
        let entries: Vec<_> = entries.collect();
        let size =
            [1_009, 10_007, 65_537].into_iter().find(|size| size / 100 >= entries.len()).unwrap_or(65_537);
        let mut places = vec![u16::MAX; size];
        let heaviest = entries.iter().map(|(_, weight)| *weight).max().unwrap_or(0);
        if heaviest == 0 {
            return Self { places: Vec::new() };
        }
        struct Cursor {
            offset: usize,
            skip: usize,
            next: usize,
            credit: u64,
        }
        let mut cursors: Vec<_> = entries
            .iter()
            .map(|(name, _)| Cursor {
                offset: hash_key((name, 0_u8)) as usize % size,
                skip: hash_key((name, 1_u8)) as usize % (size - 1) + 1,
                next: 0,
                credit: 0,
            })
            .collect();
        let mut filled = 0;
        'fill: loop {
            for (index, cursor) in cursors.iter_mut().enumerate() {
                // Lighter entries take fewer turns.
                cursor.credit += u64::from(entries[index].1);
                if cursor.credit < u64::from(heaviest) {
                    continue;
                }
                cursor.credit -= u64::from(heaviest);
                loop {
                    let place = (cursor.offset + cursor.skip * cursor.next) % size;
                    cursor.next += 1;
                    if places[place] == u16::MAX {
                        places[place] = index as u16;
                        filled += 1;
                        break;
                    }
                }
                if filled == size {
                    break 'fill;
                }
            }
        }
        Self { places }
    }

    /// The entries for a key in the order in which they are to be tried.
    pub(super) fn candidates(&self, key: u64) -> impl Iterator<Item = usize> {
        let size = self.places.len();
        let start = if size == 0 { 0 } else { (key % size as u64) as usize };
        (0..size).map(move |step| usize::from(self.places[(start + step) % size]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

    fn table(names: &[&str]) -> Maglev {
        Maglev::new(names.iter().map(|name| (*name, 1)))
    }

    fn choice<'n>(table: &Maglev, names: &[&'n str], key: u64) -> &'n str {
        names[table.candidates(hash_key(key)).next().unwrap()]
    }

    #[test]
    fn shares_are_even_and_follow_the_weights() {
        let table = Maglev::new([("a", 1), ("b", 1), ("c", 2), ("d", 0)].into_iter());
        let mut counts = [0; 4];
        table.places.iter().for_each(|place| counts[usize::from(*place)] += 1);
        assert!((240..=265).contains(&counts[0]), "{counts:?}");
        assert!((490..=520).contains(&counts[2]), "{counts:?}");
        assert_eq!(counts[3], 0);
    }

    #[test]
    fn few_keys_move_when_an_entry_goes() {
        let (all, fewer) = (table(&NAMES), table(&NAMES[..4]));
        let moved = (0..10_000)
            .filter(|key| {
                let before = choice(&all, &NAMES, *key);
                before != "e" && choice(&fewer, &NAMES[..4], *key) != before
            })
            .count();
        assert!(moved < 1_500, "{moved} of 10,000 keys moved between entries that stayed");
    }
}
