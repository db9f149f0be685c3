//! Where one WebSocket frame ends and the next begins (RFC 6455, section 5.2).

/// Who sends the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The client: its frames are masked.
    Client,
    /// The server.
    Server,
}

/// Follows a stream of frames without looking into them.
#[derive(Debug)]
pub(super) struct FrameTracker {
    side: Side,
    /// The part of a frame's header that was seen.
    header: [u8; 14],
    header_length: usize,
    /// Bytes of the payload that are still to come.
    payload: u64,
}

impl FrameTracker {
    pub(super) fn new(side: Side) -> Self {
        Self { side, header: [0; 14], header_length: 0, payload: 0 }
    }

    /// Takes note of bytes that go by.
    pub(super) fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let skip = usize::try_from(self.payload).unwrap_or(usize::MAX).min(bytes.len());
            self.payload -= skip as u64;
            bytes = &bytes[skip..];
            let Some((first, rest)) = bytes.split_first() else { return };
            self.header[self.header_length] = *first;
            self.header_length += 1;
            bytes = rest;
            if let Some(payload) = self.payload_length() {
                self.payload = payload;
                self.header_length = 0;
            }
        }
    }

    /// Whether a frame may be put in here.
    pub(super) fn is_between_frames(&self) -> bool {
        self.header_length == 0 && self.payload == 0
    }

    /// A close frame with status 1001, as this side would send it.
    pub(super) fn goodbye(&self) -> &'static [u8] {
        match self.side {
            // Clients must mask; with a mask of zeros the payload stays readable.
            Side::Client => &[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9],
            Side::Server => &[0x88, 0x02, 0x03, 0xe9],
        }
    }

    /// The length of the payload, once the header is complete.
    fn payload_length(&self) -> Option<u64> {
        let header = &self.header[..self.header_length];
        let second = *header.get(1)?;
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let (length, extra) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(header.get(2..4)?.try_into().ok()?)), 2),
            127 => (u64::from_be_bytes(header.get(2..10)?.try_into().ok()?), 8),
            short => (u64::from(short), 0),
        };
        (header.len() == 2 + extra + mask).then_some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize, masked: bool) -> Vec<u8> {
        let mask_bit = if masked { 0x80 } else { 0 };
        let mut frame = vec![0x82];
        match length {
            0..=125 => frame.push(mask_bit | length as u8),
            126..=65_535 => {
                frame.push(mask_bit + 126);
                frame.extend_from_slice(&(length as u16).to_be_bytes());
            }
            _ => {
                frame.push(mask_bit + 127);
                frame.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        frame.resize(frame.len() + usize::from(masked) * 4 + length, 7);
        frame
    }

    #[test]
    fn boundaries_are_found_wherever_the_stream_is_cut() {
        for masked in [false, true] {
            let lengths = [0, 1, 125, 126, 300, 65_536];
            let frames: Vec<_> = lengths.iter().map(|length| frame(*length, masked)).collect();
            let stream = frames.concat();
            let mut ends = frames.iter().scan(0, |end, frame| {
                *end += frame.len();
                Some(*end)
            });
            let boundaries: Vec<_> = std::iter::once(0).chain(ends.by_ref()).collect();
            let mut tracker = FrameTracker::new(Side::Client);
            for (at, byte) in stream.iter().enumerate() {
                assert_eq!(tracker.is_between_frames(), boundaries.contains(&at), "at {at}");
                tracker.see(std::slice::from_ref(byte));
            }
            assert!(tracker.is_between_frames());
            for cut in (0..stream.len()).step_by(997) {
                let mut tracker = FrameTracker::new(Side::Server);
                tracker.see(&stream[..cut]);
                tracker.see(&stream[cut..]);
                assert!(tracker.is_between_frames());
            }
        }
    }

    #[test]
    fn goodbye_is_a_frame_of_its_own() {
        for side in [Side::Client, Side::Server] {
            let mut tracker = FrameTracker::new(side);
            let goodbye = tracker.goodbye();
            tracker.see(goodbye);
            assert!(tracker.is_between_frames());
        }
    }
}
