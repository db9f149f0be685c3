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
