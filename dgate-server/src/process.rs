//! The server as a process: started, told by signals what to do, and ended.

use std::process::ExitCode;
use std::time::Instant;

use crate::admin::{Metrics, Observed};
use crate::commands::say_what_is_wrong;
use crate::config::{self, FoundAt, LoadError, Loaded};
use crate::dev::DevPorts;
use crate::server::{Server, StartError};
use crate::signals::{Signals, Wish};
use crate::system::host_name;
use crate::telemetry::Telemetry;
use crate::watch::FileWatch;
use crate::{exporter, systemd};

#[cfg(unix)]
use crate::handover::{Predecessor, Program};

/// Where the configuration comes from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A file, or the defaults when there is none.
    File(FoundAt),
    /// What is built in for trying things.
    Dev(DevPorts),
}

impl Source {
    fn load(&self) -> Result<Loaded, LoadError> {
        match self {
            Self::File(found) => config::load(found),
            Self::Dev(ports) => ports.load(),
        }
    }

    /// The file that is read, if it is one.
    fn file(&self) -> Option<&std::path::Path> {
        match self {
            Self::File(found) => found.path(),
            Self::Dev(_) => None,
        }
    }
}

/// Runs a server until somebody wants it to end.
pub(crate) fn run(source: Source) -> ExitCode {
    let began = Instant::now();
    let loaded = match source.load() {
        Ok(loaded) => loaded,
        Err(error) => return say_what_is_wrong(&error),
    };
    let telemetry = Telemetry::start(loaded.config.log_level, loaded.config.log_format);
    raise_open_files();
    // The control plane: probes, the Admin API, changes of configuration. Requests are served by threads of their own.
    // There are two for it, so that compiling a large change does not delay those who only ask something.
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = match builder.worker_threads(2).thread_name("control").enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let ended = runtime.block_on(serve(source, loaded, telemetry, began));
    // Somebody may still wait for a thread that never ends.
    runtime.shutdown_background();
    ended
}

/// Starts the server and does what signals want.
async fn serve(source: Source, loaded: Loaded, telemetry: Telemetry, began: Instant) -> ExitCode {
    // From here on signals are wishes: one that comes during the start is heard after it.
    let signals = match Signals::open() {
        Ok(signals) => signals,
        Err(error) => return failed(&error),
    };
    #[cfg(unix)]
    let (program, mut predecessor) = match (Program::of_this_process(), Predecessor::receive()) {
        (Ok(program), Ok(predecessor)) => (program, predecessor),
        (Err(error), _) | (_, Err(error)) => return failed(&error),
    };
    #[cfg(unix)]
    let inherited = predecessor.as_mut().map(|predecessor| std::mem::take(&mut predecessor.sockets));
    #[cfg(not(unix))]
    let inherited = None;

    let node = loaded.config.node_id.clone().unwrap_or_else(host_name);
    let metrics = if loaded.config.disable_metrics {
        None
    } else {
        match exporter::install() {
            Ok(handle) => {
                tokio::spawn(exporter::upkeep(handle.clone(), node));
                Some(Metrics(handle))
            }
            Err(error) => return failed(&error),
        }
    };
    tokio::spawn(systemd::watchdog());

    let observed = Observed { metrics, logs: telemetry.logs() };
    let server = match Server::start_with(loaded, inherited.unwrap_or_default(), observed).await {
        Ok(server) => server,
        Err(StartError::Config(error)) => return say_what_is_wrong(&error),
        Err(error) => return failed(&error),
    };
    exporter::LAST_RELOAD.set(true);
    // Who changes the file as soon as the server serves is heard.
    let watch = watch(&source, &server);
    say_that_it_serves(&source, &server, began);
    #[cfg(unix)]
    if let Some(predecessor) = predecessor
        && let Err(error) = predecessor.release()
    {
        tracing::warn!(%error, "the process before this one could not be told that this one serves");
    }
    let process = Process {
        source,
        server,
        telemetry,
        signals,
        watch,
        #[cfg(unix)]
        program,
    };
    // Starting and serving do not need room at the same time.
    Box::pin(process.run()).await
}

/// A server, and who may want something of it.
struct Process {
    source: Source,
    server: Server,
    telemetry: Telemetry,
    signals: Signals,
    watch: Option<FileWatch>,
    #[cfg(unix)]
    program: Program,
}

/// How a process comes to its end.
enum End {
    Soon,
    Patiently,
    /// Another process serves.
    #[cfg(unix)]
    Succeeded,
}

impl Process {
    async fn run(mut self) -> ExitCode {
        let end = loop {
            tokio::select! {
                wish = self.signals.next() => match wish {
                    Wish::Stop => break End::Soon,
                    Wish::StopPatiently => break End::Patiently,
                    Wish::Reload => self.reload().await,
                    Wish::ReopenLogs => self.reopen_logs(),
                    #[cfg(unix)]
                    Wish::HandOver => if self.hand_over().await { break End::Succeeded },
                    #[cfg(not(unix))]
                    Wish::HandOver => {}
                },
                () = changed(self.watch.as_mut()) => self.reload().await,
            }
        };
        Box::pin(self.end(end)).await
    }

    /// Comes to an end, or is ended at once by another signal.
    async fn end(self, end: End) -> ExitCode {
        let Self { server, mut signals, .. } = self;
        let shutdown = async {
            match end {
                End::Soon => server.shutdown().await,
                End::Patiently => server.shutdown_patiently().await,
                #[cfg(unix)]
                End::Succeeded => server.leave_to_successor().await,
            }
        };
        if !matches!(end, End::Succeeded) {
            systemd::stopping();
        }
        tracing::info!("stopping: requests are answered to their end; another signal stops at once");
        let again = async { while !matches!(signals.next().await, Wish::Stop | Wish::StopPatiently) {} };
        tokio::select! {
            () = shutdown => tracing::info!("stopped"),
            () = again => tracing::warn!("stopped at once: requests were cut off"),
        }
        ExitCode::SUCCESS
    }

    /// Reads the configuration again. A bad one changes nothing.
    async fn reload(&mut self) {
        systemd::reloading();
        let is_good = self.try_reload().await;
        exporter::LAST_RELOAD.set(is_good);
        if let (Some(watch), true) = (&mut self.watch, is_good)
            && let Err(error) = watch.set_files(watched(&self.source, &self.server))
        {
            tracing::warn!(%error, "not all files can be watched");
        }
        systemd::ready("serving");
    }

    async fn try_reload(&mut self) -> bool {
        if self.source.file().is_none() {
            tracing::info!("there is no configuration file to read again");
            self.reopen_logs();
            return true;
        }
        let loaded = match self.source.load() {
            Ok(loaded) => loaded,
            Err(error) => {
                tracing::error!("the configuration stays as it was: \n{error}");
                return false;
            }
        };
        let level = loaded.config.log_level;
        match self.server.reload(loaded).await {
            Ok(reloaded) => {
                self.telemetry.set_level(level);
                for key in &reloaded.needs_restart {
                    tracing::warn!("`{key}` has changed, which takes a restart to have an effect");
                }
                tracing::info!(
                    revision = reloaded.revision,
                    created = reloaded.created,
                    updated = reloaded.updated,
                    deleted = reloaded.deleted,
                    "the configuration was read again"
                );
                true
            }
            Err(error) => {
                tracing::error!("the configuration stays as it was: \n{error}");
                false
            }
        }
    }

    fn reopen_logs(&self) {
        match self.server.reopen_logs() {
            Ok(()) => tracing::info!("the access log was opened again"),
            Err(error) => tracing::error!(%error, "the access log goes on as before"),
        }
    }

    /// Lets a new process take over. Says whether it has.
    #[cfg(unix)]
    async fn hand_over(&self) -> bool {
        tracing::info!("a new process is started to take over");
        let (program, sockets) = (self.program.clone(), self.server.duplicate_sockets());
        let started = match sockets {
            Ok(sockets) => {
                let started = tokio::task::spawn_blocking(move || program.hand_over(&sockets)).await;
                started.unwrap_or_else(|error| Err(std::io::Error::other(error)))
            }
            Err(error) => Err(error),
        };
        match started {
            Ok(id) => {
                systemd::main_process(id);
                tracing::info!(pid = id, "the new process serves");
                true
            }
            Err(error) => {
                tracing::error!(%error, "nobody has taken over: this process serves on");
                false
            }
        }
    }
}

async fn changed(watch: Option<&mut FileWatch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}

/// Watches the files of a configuration that wants to be watched.
fn watch(source: &Source, server: &Server) -> Option<FileWatch> {
    if !server.loaded().config.watch {
        return None;
    }
    FileWatch::new(watched(source, server))
        .inspect_err(|error| tracing::error!(%error, "the configuration is not watched"))
        .ok()
}

fn watched(source: &Source, server: &Server) -> Vec<std::path::PathBuf> {
    let own = source.file().map(std::path::Path::to_owned);
    own.into_iter().chain(server.loaded().files.clone()).collect()
}

fn say_that_it_serves(source: &Source, server: &Server, began: Instant) {
    let addresses: Vec<_> = server.addresses().map(|(name, address)| format!("{name}={address}")).collect();
    let addresses = addresses.join(" ");
    let name = &server.loaded().source.name;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        configuration = %name,
        listeners = %addresses,
        took_ms = began.elapsed().as_secs_f64() * 1e3,
        "serving"
    );
    systemd::ready(&format!("serving: {addresses}"));
    if let Source::Dev(ports) = source {
        let port = ports.port;
        anstream::eprintln!("\n  try:  curl -i localhost:{port}/hello/world     an upstream that echoes");
        anstream::eprintln!("        curl -i localhost:{port}/greet/world     a module that answers\n");
    }
}

fn failed(error: &dyn std::fmt::Display) -> ExitCode {
    tracing::error!("{error}");
    ExitCode::FAILURE
}

/// Lets this process open as many files as it may: every connection is one, and the usual limit is for people.
fn raise_open_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit of open files stays as it is");
        }
    }
}
