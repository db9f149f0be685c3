//! The local runtime: modules without a server, in the very same engine, with the very same limits and permissions.
//!
//! A [`Project`] is what stands in a directory: modules, and the resources around them. A [`LocalGateway`] takes requests
//! to them without a socket; [`check`] says what is wrong before anything runs; [`test()`] runs `*.test.ts`.
//!
//! | you look for | it is in |
//! |---|---|
//! | what belongs to a project, and how it is read | `local/project.rs` |
//! | a request through all hooks, with timings | `local/gateway.rs` |
//! | what a module asks for against what it has | `local/check.rs`, `typescript/asks.rs` |
//! | running tests | `local/testing.rs`; what tests import is in `engine/api/testing.rs` |
//! | a module of a running gateway, tried apart from it | `local/trial.rs` |
//! | results for people, CI servers and programs | `local/report.rs` |
//! | a new project | `local/scaffold.rs` |

mod check;
mod documents;
mod gateway;
mod heard;
#[cfg(test)]
mod overrun;
mod plane;
mod project;
mod reply;
mod report;
mod scaffold;
mod testing;
mod trial;
mod trip;

pub use check::{Ask, Checked, HookRun, check};
pub use gateway::{LocalGateway, Network};
pub use project::{FileRole, Project, ProjectError, ProjectFiles};
pub use reply::{HookTime, Reply};
pub use report::Reporter;
pub use scaffold::{TYPES, scaffold};
pub use testing::{FileReport, TestOptions, TestOutcome, TestReport, test};
pub use trial::Trial;
pub use trip::HookFailure;
