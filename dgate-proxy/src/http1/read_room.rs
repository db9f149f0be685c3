//! How much to read at a time.

const LEAST: usize = 16 * 1_024;
const MOST: usize = 256 * 1_024;

/// How much to read at a time: more while reads come back full, less when they do not.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadRoom(usize);

impl Default for ReadRoom {
    fn default() -> Self {
        Self(LEAST)
    }
}

impl ReadRoom {
    pub(super) const fn get(self) -> usize {
        self.0
    }

    /// Learns from a read of so many bytes.
    pub(super) fn adapt(&mut self, read: usize) {
        if read >= self.0 {
            self.0 = (self.0 * 2).min(MOST);
        } else if read < self.0 / 4 {
            self.0 = (self.0 / 2).max(LEAST);
        }
    }
}

/// How much to read for a head and what comes along: about as much as it was the last times. Small buffers are cheaper
/// to come by, and the usual message needs no second read.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeadRoom(usize);

/// What allocators have at hand.
const SMALL: usize = 1_024;

impl HeadRoom {
    /// For messages that were often this large.
    pub(super) const fn new(first: usize) -> Self {
        Self(first)
    }

    pub(super) const fn get(self) -> usize {
        self.0
    }

    /// Learns how much came until a head was complete. Grows at once, and forgets slowly.
    pub(super) fn adapt(&mut self, came: usize) {
        let wanted = if came >= self.0 { (came * 2).min(LEAST) } else { came + came / 8 };
        self.0 = if wanted > self.0 { wanted } else { (self.0 * 3 + wanted) / 4 }.max(SMALL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_for_heads_follows_what_comes() {
        let mut room = HeadRoom::new(16 * 1_024);
        for _ in 0..30 {
            room.adapt(300);
        }
        assert_eq!(room.get(), SMALL);
        // A read that came back full may have been cut off.
        room.adapt(SMALL);
        assert_eq!(room.get(), 2 * SMALL);
        for _ in 0..3 {
            let full = room.get();
            room.adapt(full);
        }
        assert_eq!(room.get(), LEAST);
        room.adapt(10_000);
        assert!(room.get() > 10_000);
        for _ in 0..30 {
            room.adapt(10_000);
        }
        assert!(room.get() > 10_000 && room.get() < LEAST);
    }
}
