//! The servers that share a configuration.

use super::ServerTags;

/// The tags of a server, and of the others that share its configuration.
///
/// What applies is decided by the server's own tags alone. The others matter to what is said of a resource for all of
/// them: a condition that no server could ever satisfy, or one that some server could only decide by a request.
#[derive(Debug, Clone, Default)]
pub struct Servers {
    /// Those of this server.
    pub own: ServerTags,
    /// Those of the others, as far as they are known.
    pub others: Vec<ServerTags>,
}

impl Servers {
    /// Each server's tags, this one's first.
    pub fn iter(&self) -> impl Iterator<Item = &ServerTags> {
        std::iter::once(&self.own).chain(&self.others)
    }
}

/// A server alone.
impl From<ServerTags> for Servers {
    fn from(own: ServerTags) -> Self {
        Self { own, others: Vec::new() }
    }
}
