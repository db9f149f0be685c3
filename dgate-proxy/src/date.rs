//! The `Date` header.

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;

/// The time as `Date` says it, formatted once a second and thread.
pub(crate) fn with_now<R>(use_it: impl FnOnce(&HeaderValue) -> R) -> R {
    thread_local! {
        static CACHED: RefCell<Option<(u64, HeaderValue)>> = const { RefCell::new(None) };
    }
    let second = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    CACHED.with_borrow_mut(|cached| {
        if cached.as_ref().is_none_or(|(known, _)| *known != second) {
            let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second));
            let value = HeaderValue::from_maybe_shared(bytes::Bytes::from(text));
            *cached = Some((second, value.unwrap_or_else(|_| HeaderValue::from_static(""))));
        }
        match cached {
            Some((_, value)) => use_it(value),
            None => use_it(&HeaderValue::from_static("")),
        }
    })
}

/// The same, as a value.
pub(crate) fn now() -> HeaderValue {
    with_now(HeaderValue::clone)
}
