//! Server-sent events.

use std::collections::VecDeque;

use dgate_core::Body;

use crate::exit::Exit;
use crate::failure::Failure;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) data: String,
}

/// A stream of events.
#[derive(Debug)]
pub(crate) struct Events {
    body: Body,
    parser: Parser,
}

impl Events {
    pub(super) fn new(body: Body) -> Self {
        Self { body, parser: Parser::default() }
    }

    /// The next event; nothing when the server has ended the stream.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, Failure> {
        loop {
            if let Some(event) = self.parser.ready.pop_front() {
                return Ok(Some(event));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.parser.feed(&bytes);
                    }
                }
                Some(Err(error)) => {
                    return Err(Failure::new(Exit::Unreachable, format!("the connection broke: {error}")));
                }
            }
        }
    }
}

/// From bytes to events, wherever the bytes are cut.
#[derive(Debug, Default)]
struct Parser {
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    ready: VecDeque<Event>,
}

impl Parser {
    fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => {
                    let line = std::mem::take(&mut self.line);
                    let line = String::from_utf8_lossy(&line);
                    self.end_of_line(line.strip_suffix('\r').unwrap_or(&line));
                }
                byte => self.line.push(*byte),
            }
        }
    }

    fn end_of_line(&mut self, line: &str) {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            if std::mem::take(&mut self.has_data) {
                self.ready.push_back(event);
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
            }
            "event" => value.clone_into(&mut self.event.event),
            "id" => value.clone_into(&mut self.event.id),
            // Comments keep the connection alive; `retry` is for browsers.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_wherever_bytes_are_cut() {
        let text =
            ": hello\n\nid: 7\nevent: change\ndata: {\"a\":\ndata: 1}\n\ndata:ä\r\n\r\nevent: empty\n\n";
        let expected = [
            Event { id: "7".into(), event: "change".into(), data: "{\"a\":\n1}".into() },
            Event { data: "ä".into(), ..Event::default() },
        ];
        for cut in 0..text.len() {
            let mut parser = Parser::default();
            parser.feed(&text.as_bytes()[..cut]);
            parser.feed(&text.as_bytes()[cut..]);
            assert_eq!(parser.ready, expected, "cut at {cut}");
        }
    }
}
