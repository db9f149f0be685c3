//! Tags: which server a resource applies to, for which share of its requests, and when.
//!
//! A server has tags; a resource has labels, and conditions on the server's tags.
//!
//! | a server's tag | means |
//! |---|---|
//! | `edge`, `region:eu` | the server carries it |
//! | `canary@0.01%:v2` | for this share of its requests the server carries `canary:v2` |
//! | `@(2030-01-01T00:00:00Z)#region:eu` | carried from that instant on |
//! | `@(a..b)#beta`, `@(..b)#beta` | carried from `a` until just before `b` |
//! | `@(a..b)#canary@1%..50%:v2` | a ramp: from `a` to `b` the share goes from 1 % to 50 %, and stays there |
//!
//! | a resource's tag | the resource applies when the server |
//! |---|---|
//! | `team:web`, `beta` | always: a label |
//! | `#region:eu,us` | has all of them; `#region`: has the name at all |
//! | `!region:eu,us` | has none of them; `!region`: does not have the name at all |
//! | `?region:eu,us` | has any of them |
//! | `?*region:eu,us` | has exactly one of them |
//!
//! The decision is a pure function of both, the instant, and what identifies the client ([`CanaryKey`]):
//!
//! ```
//! use dgate_core::tags::{Applies, CanaryKey, Conditions, RequestTags, ServerTags};
//! let texts = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
//! let (server, _) = ServerTags::parse(&texts(&["region:eu", "canary@50%:v2", "@(2030-01-01T00:00:00Z)#late"]));
//! let now = "2026-01-01T00:00:00Z".parse().unwrap();
//! let active = std::sync::Arc::new(server.at(now));
//! let applies = |tags: &[&str]| Conditions::parse(&texts(tags)).0.on(&active);
//!
//! assert_eq!(applies(&["#region:eu", "team:web"]), Applies::Always);
//! assert_eq!(applies(&["#late"]), Applies::Never, "not before 2030");
//! let Applies::Sometimes(rule) = applies(&["#canary:v2"]) else { panic!("it depends on the request") };
//! let of = |user: &str| RequestTags::new(active.clone(), CanaryKey::of(user.as_bytes()), now).holds(&rule);
//! assert!(of("user-3"), "on every node, and also when the share grows");
//! assert!(!of("user-2"));
//! ```

mod active;
mod changes;
mod condition;
mod draw;
mod edges;
mod outlook;
mod request;
mod rule;
mod server;
mod servers;
mod share;
mod when;
mod word;

pub use active::{ActiveTags, Canary};
pub use condition::{Condition, Conditions};
pub use draw::CanaryKey;
pub use edges::{Edge, EdgeKind};
pub use request::{CarriedTags, RequestTags};
pub use rule::{Applies, CanaryRule};
pub use server::{MOST_CANARY_TAGS, ServerTag, ServerTags};
pub use servers::Servers;
pub use share::{Ramp, Share};
pub use when::When;
pub use word::TagError;

pub(crate) use changes::ChangedTags;
pub(crate) use outlook::Outlook;
pub(crate) use request::holds;
