//! TypeScript and JavaScript in the request path of the DGate gateway.
//!
//! [`ModuleRunner`] is the [`HookRunner`](dgate_core::hook::HookRunner) that a gateway is built with; [`local`] runs modules
//! without a server. See `ARCHITECTURE.md` for the life of a hook call, and [`local::TYPES`] for everything that modules
//! see.
//!
//! # What modules share
//!
//! Requests run in runtimes that serve many of them, one after another and at the same time. Nothing of one request is
//! seen by another, except for what a module keeps in variables of its own at its top level: those stay as long as the
//! runtime does, and there is a runtime on each thread. Built-in objects and the global object are frozen; so are those of
//! the gateway. Modules of one route share `ctx`, but not their `env`, permissions and consoles.
//!
//! # What is not there
//!
//! - Code from text: `eval`, `new Function`, WebAssembly.
//! - BigInt with its typed arrays: nothing would bound how long it computes. `Atomics`: nothing is shared.
//! - Regular expressions of more than 64 Ki characters or 3,000 alternatives, and `compile` of those that are there.
//! - Streams (`response.body`, `ReadableStream`), `Blob`, `File`, `FormData`, `EventTarget` and `Event` (signals have
//!   `addEventListener` of their own), `WebSocket`, workers, message channels, storage, caches, `navigator`,
//!   `setImmediate`. A body is read as a whole, up to `limits.body`, or passed on as it is.
//! - Relative URLs that begin with three slashes: they are refused.
//! - `crypto.subtle` besides `digest`; `dgate/crypto` and `dgate/jwt` have more.
//! - Of `Request` everything that concerns browsers: `mode`, `credentials`, `cache`, `referrer`.
//! - `import()`, and `await` at the top level for what is not there at once.
//!
//! # What is bounded, and what is not
//!
//! Loops, calls, callbacks of built-ins, getters, generators and promise jobs end when the call has computed for longer than
//! `limits.cpu`; calls within calls end at some 1,000; a call ends at `limits.timeout`, or at once if it waits for what never
//! comes. Texts are bounded to 16 Mi characters, lists that built-ins walk through to a million entries, buffers to 16 MiB
//! (or twice `limits.body`),
//! operations that a call waits for at the same time to 256 (one more throws a `RangeError`), and handlers of promises that it has waiting (functions given to
//! `then` that have not run yet; `await` has two) to 10,000: a call with more ends (`kind="promises"`). What was given no
//! function (`promise.then()`) is bounded by computing time only.
//!
//! Whatever is ended, or refused with a `RangeError` for its size, counts in `dgate_module_limit_hits_total`, with the limit as
//! its `kind`: `cpu`, `timeout`, `recursion`, `promises`, `operations`, `string`, `list`, `body`.
//!
//! Regular expressions are bounded as well: those that may go back and forth for long in a text are matched by a matcher of
//! the gateway's own, which looks at the clock.
//!
//! What lies within something else is bounded as well: sources to 1,000 levels, values that built-ins go through (`JSON`,
//! `flat`) to 1,000 and those that are kept (documents, cache, events) to 100, prototypes of an object to 1,000, functions
//! bound again to 1,000, proxies of proxies that a runtime makes to 10,000. Calls of built-ins by built-ins end when 64 to
//! 96 MiB of the stack are used.
//!
//! Built-ins that modules reach look at the stack and at the clock before they do anything, whoever calls them: one that is
//! bound to itself (`o[Symbol.toPrimitive] = Math.floor.bind(null, o)`), a proxy that is its own trap, a list that says that
//! it has no end (`new Set(Array.prototype.values.call({ length: 2 ** 52 }))`) and lengths that are different when they are
//! asked for again end the call, not the process. Each costs a call of a built-in some 0.1 µs.
//!
//! Nobody looks when prototypes are given by `class … extends`, by `{ __proto__ }` or by `new`: a chain of some 400,000, which
//! a module made in many calls and kept, would end the process.
//!
//! The clock is looked at after 128 ticks (loops, functions), 64 calls of built-ins or 16 jobs. What lies between two looks may
//! be long texts that are compared or read as numbers, each for milliseconds: `n += longText === otherText`, written a
//! thousand times or done in the loop's last 128 rounds, computes for seconds.
//!
//! Each module of a route has these limits for its own part of a hook call. Computing time and time by the clock begin anew
//! when its hook begins; what a module left behind (timers, handlers that nobody waited for) is charged to it, also while a later
//! one runs. A call on a thread of the pool also ends when the times of all modules of the route together are over, with
//! the time it waited for the thread.
//!
//! Computing time is the processor's, not that of the clock on the wall: on a busy machine a call that uses up 50 ms may end
//! after several times as long. By the processor's time it ends at most 50 ms after its limit, unless it is in one of these
//! built-ins, which are not interrupted and are bounded only by the size of what they are given:
//!
//! - `structuredClone` of some MiB;
//! - `sort`, `indexOf` and their like of lists of long texts, and built-ins that read them as numbers (`list.map(Number)`);
//! - what goes through an array of up to a million elements without calling anything: `sort`, `indexOf`, `slice` and the
//!   other methods of arrays but for those that put texts or lists together, and `Object.keys` and its like;
//! - the same of typed arrays, and typed arrays made of and copied from others, up to 16 MiB; `TextEncoder`, `TextDecoder`, `atob`, `btoa`, and hashes of
//!   as much;
//! - methods of texts of up to 16 Mi characters that go through all of it: `normalize`, `toUpperCase`, `split`, `replaceAll`,
//!   `indexOf`, `encodeURIComponent`, and numbers and dates read from them.
//!
//! Nearly all of these take milliseconds, and the first may take up to some seconds. A
//! *watchdog* notices when a call is in one of them for longer than `modules.pool.watchdog`: it
//! logs module and hook, counts it (`kind="watchdog"`), refuses further calls of the module until the thread is back, and
//! gives what waits for a thread of the pool to another one. Requests whose connections are on a worker that is stuck
//! wait until it is back.
//!
//! A module that imports another as a whole (`import * as`, `export *`) leaves what is in its variables behind when its runtime
//! is replaced: the engine's objects for that are never garbage.
//!
//! Not bounded is the memory of many values that are each within their bounds, other than by the time it takes to make
//! them.

mod bytes_text;
mod capability;
mod chain;
mod cookies;
mod direct;
mod engine;
mod exchange;
mod failure;
mod hash;
mod hook;
mod ip_range;
mod json;
mod limits;
pub mod local;
mod message;
mod metrics;
mod native;
mod permission;
mod pool;
mod program;
mod random;
mod runner;
mod session;
mod shared;
mod stack;
mod thread_time;
mod thrown;
mod trailers;
mod typescript;
mod web_url;
mod worker;

pub use capability::{ConsoleLine, Node};
pub use limits::LimitSettings;
pub use pool::PoolSettings;
pub use runner::{ModuleRunner, ModuleSettings};
pub use stack::STACK;
