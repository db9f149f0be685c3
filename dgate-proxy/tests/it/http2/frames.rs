//! HTTP/2 by hand: frames and header blocks as no well-behaved library sends them.

use dgate_proxy::testing::TestGateway;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::PATIENCE;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A header block of plain literals (RFC 7541, section 6.2.2).
pub(crate) fn block<N: AsRef<[u8]>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name.as_ref(), value.as_ref()] {
            push_length(&mut block, text.len());
            block.extend_from_slice(text);
        }
    }
    block
}

fn push_length(block: &mut Vec<u8>, length: usize) {
    if length < 127 {
        block.push(length as u8);
        return;
    }
    block.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        block.push(rest as u8 % 128 + 128);
        rest /= 128;
    }
    block.push(rest as u8);
}

/// A connection that speaks HTTP/2 by hand.
pub(crate) struct Wire(pub(crate) TcpStream);

impl Wire {
    /// Connects, and says what every client says first.
    pub(crate) async fn open(gateway: &TestGateway) -> Self {
        Self::open_with(gateway, &[]).await
    }

    /// The same, with settings.
    pub(crate) async fn open_with(gateway: &TestGateway, settings: &[(u16, u32)]) -> Self {
        let mut wire = Self(TcpStream::connect(gateway.address()).await.unwrap());
        let settings: Vec<u8> = settings
            .iter()
            .flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        wire.send(&[PREFACE, &frame(SETTINGS, 0, 0, &settings)].concat()).await;
        wire
    }

    /// Sends bytes. That the other side does not take them is no failure: tests look at what comes back.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
    }

    /// The next frame; nothing when the connection is over.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        tokio::time::timeout(PATIENCE, self.read()).await.expect("a frame or the end in time")
    }

    async fn read(&mut self) -> Option<Frame> {
        let mut header = [0; 9];
        self.0.read_exact(&mut header).await.ok()?;
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await.ok()?;
        let stream = u32::from_be_bytes(header[5..].try_into().unwrap());
        Some(Frame { kind: header[3], flags: header[4], stream, payload })
    }

    /// The next frame of a kind; nothing when the connection ends before.
    pub(crate) async fn next_of(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// How a request on a stream is answered.
    pub(crate) async fn answer(&mut self, stream: u32) -> Answer {
        loop {
            match self.next().await {
                None => return Answer::Closed,
                Some(frame) if frame.kind == GOAWAY && frame.payload[4..8] != [0; 4] => {
                    return Answer::Closed;
                }
                Some(frame) if frame.stream != stream => {}
                Some(frame) if frame.kind == RST_STREAM => {
                    return Answer::Reset(u32::from_be_bytes(frame.payload[..4].try_into().unwrap()));
                }
                Some(frame) if frame.kind == HEADERS => return Answer::Status(status(&frame.payload)),
                Some(_) => {}
            }
        }
    }
}

/// How a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Status(u16),
    /// The stream is reset, for this reason.
    Reset(u32),
    /// The connection is ended.
    Closed,
}

/// The status at the beginning of a response's header block.
pub(crate) fn status(block: &[u8]) -> u16 {
    // The encoder may begin with a change of its table's size.
    let block = if block[0] & 0xe0 == 0x20 { &block[1..] } else { block };
    match block[0] {
        0x88..=0x8e => [200, 204, 206, 304, 400, 404, 500][usize::from(block[0] - 0x88)],
        // A literal whose name is number 8 of the static table.
        0x48 | 0x08 | 0x18 => {
            let (length, text) = (usize::from(block[1] & 0x7f), &block[2..]);
            if block[1] & 0x80 == 0 {
                return std::str::from_utf8(&text[..length]).unwrap().parse().unwrap();
            }
            huffman_digits(&text[..length])
        }
        other => panic!("no status: {other:#x}"),
    }
}

/// A number in Huffman code (RFC 7541, appendix B): 0 to 2 have five bits, the others six.
fn huffman_digits(bytes: &[u8]) -> u16 {
    let bits: Vec<bool> =
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
    let value = |bits: &[bool]| bits.iter().fold(0_u16, |value, bit| value * 2 + u16::from(*bit));
    let (mut number, mut at) = (0, 0);
    for _ in 0..3 {
        let short = value(&bits[at..at + 5]);
        let (digit, length) = if short <= 2 { (short, 5) } else { (value(&bits[at..at + 6]) - 0x19 + 3, 6) };
        number = number * 10 + digit;
        at += length;
    }
    number
}

#[test]
fn statuses_are_read() {
    assert_eq!(status(&[0x88]), 200);
    assert_eq!(status(&[0x8c]), 400);
    assert_eq!(status(&[0x48, 3, b'4', b'3', b'1']), 431);
    // From RFC 7541, section C.6.1: 302.
    assert_eq!(status(&[0x48, 0x82, 0x64, 0x02]), 302);
}
