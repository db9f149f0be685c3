//! The threads that serve.

use std::io;
use std::num::NonZero;
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use crate::config::{self, RuntimeFlavor};

/// The threads that serve. They end with [`Workers::stop`], and whatever runs on them.
pub(crate) struct Workers {
    handles: Vec<Handle>,
    threads: Threads,
}

enum Threads {
    /// A runtime on each thread; the sender tells it to end.
    PerCore(Vec<(oneshot::Sender<()>, JoinHandle<()>)>),
    WorkStealing(Runtime),
}

impl Workers {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system has no threads or file descriptors left.
    pub(crate) fn start(wanted: &config::Runtime) -> io::Result<Self> {
        let count = wanted
            .workers
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get))
            .max(1);
        match wanted.flavor {
            RuntimeFlavor::PerCore => Self::per_core(count),
            RuntimeFlavor::WorkStealing => {
                let mut builder = Builder::new_multi_thread();
                let runtime = builder
                    .worker_threads(count)
                    .thread_name("worker")
                    .thread_stack_size(dgate_modules::STACK)
                    .enable_all()
                    .build()?;
                let handles = vec![runtime.handle().clone()];
                Ok(Self { handles, threads: Threads::WorkStealing(runtime) })
            }
        }
    }

    fn per_core(count: usize) -> io::Result<Self> {
        let mut handles = Vec::with_capacity(count);
        let mut threads = Vec::with_capacity(count);
        for number in 0..count {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            handles.push(runtime.handle().clone());
            let (stop, stopped) = oneshot::channel();
            let thread = std::thread::Builder::new().name(format!("worker-{number}"));
            let thread = thread.stack_size(dgate_modules::STACK).spawn(move || {
                dgate_core::worker::enter(number);
                let _ = runtime.block_on(stopped);
            })?;
            threads.push((stop, thread));
        }
        Ok(Self { handles, threads: Threads::PerCore(threads) })
    }

    /// The runtimes on which to accept connections, each on a socket of its own.
    pub(crate) fn handles(&self) -> &[Handle] {
        &self.handles
    }

    /// How many threads have a number of their own; none when work moves between threads.
    pub(crate) fn numbered(&self) -> usize {
        match &self.threads {
            Threads::PerCore(threads) => threads.len(),
            Threads::WorkStealing(_) => 0,
        }
    }

    /// Ends the threads, and whatever runs on them.
    pub(crate) fn stop(self) {
        match self.threads {
            Threads::PerCore(threads) => {
                let (stops, threads): (Vec<_>, Vec<_>) = threads.into_iter().unzip();
                for stop in stops {
                    // A thread that has ended already needs no telling.
                    let _ = stop.send(());
                }
                threads.into_iter().for_each(|thread| drop(thread.join()));
            }
            Threads::WorkStealing(runtime) => runtime.shutdown_background(),
        }
    }
}
