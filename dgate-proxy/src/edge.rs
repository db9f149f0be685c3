//! The edge: everything that must see every request, whatever becomes of it.

mod access_log;
mod decorate;
mod error_response;
mod limit;
mod observe;
mod pin;
mod rescue;

pub(crate) use access_log::RequestLine;
pub use access_log::{AccessLog, AccessLogFormat};
pub use decorate::{Decorate, DecorateLayer};
pub(crate) use error_response::{Wanted, error_response};
pub use limit::{InFlightLimit, InFlightLimitLayer};
pub use observe::{Observe, ObserveLayer};
pub(crate) use pin::begin;
pub use pin::{PinSnapshot, PinSnapshotLayer};
pub(crate) use rescue::HangUp;
pub use rescue::{Rescue, RescueLayer};
