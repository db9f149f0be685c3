//! Frames that carry nothing, and how many of them a client may send.
//!
//! PING, SETTINGS, PRIORITY, WINDOW_UPDATE, RST_STREAM and empty DATA cost the server work and the client next to
//! nothing. A client has some credit for them, which grows with the time, with its requests, and with what it takes.

use tokio::time::Instant;

/// What a client has at the beginning.
const CREDIT: i64 = 1_000;

/// The most it can save up.
const MOST: i64 = 10_000;

/// What it gets for each second: enough for health checks and keep-alive of whatever kind.
const PER_SECOND: i64 = 10;

/// What it gets for each request: its own frames, and updates of its windows.
const PER_REQUEST: i64 = 10;

/// For so many bytes that it took it may send one frame: usual clients send a WINDOW_UPDATE or two for each 16 KiB.
const BYTES_PER_FRAME: u64 = 512;

/// What a reset costs: more than its request brought, so that opening and resetting comes to an end.
const RESET: i64 = 12;

/// The length of what a client says before the first frame.
const PREFACE: usize = 24;

/// The length of a frame's header.
const HEADER: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const END_STREAM: u8 = 1;

/// Counts a client's frames by looking at their headers as they go by.
#[derive(Debug)]
pub(super) struct FrameMeter {
    header: [u8; HEADER],
    /// How many bytes of the header are there.
    known: usize,
    /// How many bytes belong to something that was counted.
    skip: usize,
    credit: i64,
    credited_at: Instant,
    credited_bytes: u64,
}

impl Default for FrameMeter {
    fn default() -> Self {
        Self {
            header: [0; HEADER],
            known: 0,
            skip: PREFACE,
            credit: CREDIT,
            credited_at: Instant::now(),
            credited_bytes: 0,
        }
    }
}

impl FrameMeter {
    /// Takes note of bytes that came. Whether they are still within the credit of a client that took so many bytes.
    pub(super) fn see(&mut self, mut bytes: &[u8], taken: u64) -> bool {
        while !bytes.is_empty() {
            let skip = self.skip.min(bytes.len());
            self.skip -= skip;
            bytes = &bytes[skip..];
            let more = (HEADER - self.known).min(bytes.len());
            self.header[self.known..self.known + more].copy_from_slice(&bytes[..more]);
            self.known += more;
            bytes = &bytes[more..];
            if self.known == HEADER {
                self.known = 0;
                self.count();
            }
        }
        if self.credit < 0 {
            self.refill(taken);
        }
        self.credit >= 0
    }

    fn count(&mut self) {
        let [a, b, c, kind, flags, ..] = self.header;
        self.skip = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        self.credit -= match kind {
            DATA if self.skip > 0 || flags & END_STREAM != 0 => 0,
            HEADERS => -PER_REQUEST,
            RST_STREAM => RESET,
            _ => 1,
        };
        self.credit = self.credit.min(MOST);
    }

    /// Only when it is needed: telling the time costs more than counting.
    fn refill(&mut self, taken: u64) {
        let now = Instant::now();
        let seconds = now.saturating_duration_since(self.credited_at).as_secs();
        let frames = taken.saturating_sub(self.credited_bytes) / BYTES_PER_FRAME;
        self.credit += i64::try_from(frames).unwrap_or(MOST).min(MOST);
        self.credit += i64::try_from(seconds).unwrap_or(MOST).min(MOST) * PER_SECOND;
        self.credit = self.credit.min(MOST);
        if seconds > 0 {
            self.credited_at = now;
        }
        self.credited_bytes += frames * BYTES_PER_FRAME;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn frame(kind: u8, flags: u8, length: usize) -> Vec<u8> {
        let mut frame =
            vec![(length >> 16) as u8, (length >> 8) as u8, length as u8, kind, flags, 0, 0, 0, 1];
        frame.resize(HEADER + length, 0xff);
        frame
    }

    /// How many times a client can send something before it is enough.
    fn times(bytes: &[u8], taken_each: u64) -> usize {
        let mut meter = FrameMeter::default();
        assert!(meter.see(&[0xff; PREFACE], 0));
        (1..=50_000).find(|count| !meter.see(bytes, *count as u64 * taken_each)).unwrap_or(usize::MAX)
    }

    #[tokio::test(start_paused = true)]
    async fn frames_for_nothing_come_to_an_end_and_others_do_not() {
        let request = frame(HEADERS, 5, 30);
        for (what, bytes, taken, most) in [
            ("PING", frame(6, 0, 8), 0, 1_001),
            ("SETTINGS", frame(4, 0, 0), 0, 1_001),
            ("PRIORITY", frame(2, 0, 5), 0, 1_001),
            ("CONTINUATION", frame(9, 0, 100), 0, 1_001),
            ("something unknown", frame(0x77, 0, 3), 0, 1_001),
            ("empty DATA", frame(DATA, 0, 0), 0, 1_001),
            ("resets", frame(RST_STREAM, 0, 4), 0, 84),
            ("requests that are reset", [request.clone(), frame(RST_STREAM, 0, 4)].concat(), 0, 501),
            ("requests", request.clone(), 0, usize::MAX),
            ("requests with a body", [request, frame(DATA, END_STREAM, 0)].concat(), 0, usize::MAX),
            ("data", frame(DATA, 0, 16_384), 0, usize::MAX),
            ("a download", [frame(8, 0, 4), frame(8, 0, 4)].concat(), 16_384, usize::MAX),
        ] {
            assert_eq!(times(&bytes, taken), most, "{what}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_brings_credit() {
        let mut meter = FrameMeter::default();
        meter.see(&[0; PREFACE], 0);
        for _ in 0..3_000 {
            assert!(meter.see(&frame(6, 0, 8), 0));
            tokio::time::advance(Duration::from_millis(100)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_counts_the_same_wherever_the_bytes_are_cut() {
        let stream = [frame(6, 0, 8), frame(DATA, 0, 100), frame(HEADERS, 4, 40), frame(8, 0, 4)].concat();
        let mut whole = FrameMeter { skip: 0, ..FrameMeter::default() };
        whole.see(&stream, 0);
        for size in 1..20 {
            let mut cut = FrameMeter { skip: 0, ..FrameMeter::default() };
            for piece in stream.chunks(size) {
                cut.see(piece, 0);
            }
            assert_eq!((cut.credit, cut.skip, cut.known), (whole.credit, 0, 0));
        }
    }
}
