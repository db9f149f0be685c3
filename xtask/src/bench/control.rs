//! The control plane: how long a start takes, how many writes there are in a second, and what large answers cost others.

mod client;
mod server;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use self::client::Client;
use self::server::Server;
use crate::command;
use crate::project::Project;

/// How many resources go into one request while the store is filled.
const BATCH: usize = 5_000;

/// How the control plane is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many routes there are.
    #[arg(long, default_value_t = 10_000)]
    routes: usize,
    /// How many documents there are.
    #[arg(long, default_value_t = 100_000)]
    documents: usize,
    /// How many clients write at the same time.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    writers: u32,
    /// How long they write, in seconds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How often the server is started.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Measure this program instead of building one with the profile `release`.
    #[arg(long, value_name = "PROGRAM")]
    binary: Option<PathBuf>,
}

pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let program = match &options.binary {
        Some(program) => program.canonicalize().with_context(|| program.display().to_string())?,
        None => {
            command::run(&mut project.cargo("build --release --package dgate-server"))?;
            project.target().join("release/dgate-server")
        }
    };
    let folder = project.target().join("control-plane");
    // What is left of an earlier run tells nothing about this one.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let server = Server::new(program, folder)?;

    let began = Instant::now();
    let running = server.start(None)?;
    println!("start, empty: {:.0?}", began.elapsed());
    let began = Instant::now();
    fill(&mut running.client()?, options)?;
    println!(
        "{} routes and {} documents written: {:.1?}",
        options.routes,
        options.documents,
        began.elapsed()
    );
    running.terminate()?;

    let last = options.routes.checked_sub(1).map(|last| format!("/r/{last:05}/x"));
    let last = last.as_deref();
    starts(&server, options, last, "after a stop", server::Running::terminate)?;
    starts(&server, options, last, "after a kill", server::Running::kill)?;

    let running = server.start(last)?;
    writes(&running, options)?;
    large_answers(&running, options)?;
    running.terminate()
}

/// Fills the store.
fn fill(client: &mut Client, options: &Options) -> Result<()> {
    let apply = |lists: String| format!("{{\"resources\":{{{lists}}}}}");
    let service = r#"{"name":"s","urls":["http://127.0.0.1:1"]}"#;
    client.done(
        "POST",
        "/api/v1/apply",
        &apply(format!(r#""services":[{service}],"collections":[{{"name":"c"}}]"#)),
    )?;
    let in_batches = |client: &mut Client, list: &str, count: usize, item: &dyn Fn(usize) -> String| {
        for first in (0..count).step_by(BATCH) {
            let items: Vec<String> = (first..count.min(first + BATCH)).map(item).collect();
            client.done("POST", "/api/v1/apply", &apply(format!("\"{list}\":[{}]", items.join(","))))?;
        }
        anyhow::Ok(())
    };
    in_batches(client, "routes", options.routes, &|number| {
        format!(r#"{{"name":"r{number}","paths":["/r/{number:05}/**"],"service":"s"}}"#)
    })?;
    in_batches(client, "documents", options.documents, &|number| {
        format!(r#"{{"id":"d{number:06}","collection":"c","data":{}}}"#, data(number))
    })
}

/// A small document.
fn data(number: usize) -> String {
    format!(r#"{{"url":"https://example.com/{number}","visits":{number},"tags":["a","b"]}}"#)
}

/// From nothing to the first answer of the proxy, which must know the last route.
fn starts(
    server: &Server,
    options: &Options,
    last: Option<&str>,
    when: &str,
    end: impl Fn(server::Running) -> Result<()>,
) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..options.rounds {
        let began = Instant::now();
        let running = server.start(last)?;
        times.push(began.elapsed());
        end(running)?;
    }
    times.remove(0);
    if times.is_empty() {
        bail!("`--rounds` must be at least 2: the first start {when} is not counted");
    }
    println!("start {when}: {}", spread(&mut times));
    Ok(())
}

/// Single documents, from many clients.
fn writes(running: &server::Running, options: &Options) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(options.seconds);
    let began = Instant::now();
    let results: Vec<Result<Vec<Duration>>> = thread::scope(|scope| {
        let writer = |writer: u32| {
            let mut client = running.client()?;
            let mut times = Vec::new();
            while Instant::now() < until {
                let number = times.len();
                let path = format!("/api/v1/document/default/c/w{writer}-{number}");
                let sent = Instant::now();
                client.done("PUT", &path, &format!(r#"{{"data":{}}}"#, data(number)))?;
                times.push(sent.elapsed());
            }
            anyhow::Ok(times)
        };
        let threads: Vec<_> =
            (0..options.writers).map(|number| scope.spawn(move || writer(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a writer does not panic")).collect()
    });
    let took = began.elapsed().as_secs_f64();
    let mut times: Vec<Duration> = results.into_iter().collect::<Result<Vec<_>>>()?.concat();
    let rate = times.len() as f64 / took;
    println!("{} writers: {rate:.0} writes a second, each {}", options.writers, spread(&mut times));
    Ok(())
}

/// How long others wait while everything is exported.
fn large_answers(running: &server::Running, options: &Options) -> Result<()> {
    let is_over = AtomicBool::new(false);
    let (exported, mut reads, mut changes) = thread::scope(|scope| {
        let asking = |method: &'static str, path: &'static str, body: &'static str| {
            let is_over = &is_over;
            scope.spawn(move || {
                let mut client = running.client()?;
                let mut times = Vec::new();
                while !is_over.load(Ordering::Relaxed) || times.is_empty() {
                    let sent = Instant::now();
                    client.done(method, path, body)?;
                    times.push(sent.elapsed());
                    thread::sleep(Duration::from_millis(5));
                }
                anyhow::Ok(times)
            })
        };
        let reads = asking("GET", "/api/v1/service/default/s", "");
        let changes = asking("PUT", "/api/v1/document/default/c/other", r#"{"data":1}"#);
        let began = Instant::now();
        let exported =
            running.client().and_then(|mut client| client.done("GET", "/api/v1/export?documents", ""));
        let exported = exported.map(|bytes| (bytes, began.elapsed()));
        is_over.store(true, Ordering::Relaxed);
        let join = |thread: thread::ScopedJoinHandle<'_, Result<Vec<Duration>>>| {
            thread.join().expect("a client does not panic")
        };
        anyhow::Ok((exported?, join(reads)?, join(changes)?))
    })?;
    let ((bytes, took), count) = (exported, options.documents);
    println!("an export with {count} documents, {} MB: {took:.1?}", bytes / 1_000_000);
    println!("meanwhile, a read takes {}", spread(&mut reads));
    println!("meanwhile, a write takes {}", spread(&mut changes));
    Ok(())
}

/// Median, 99th of a hundred, and the largest.
fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    format!("{:.1?} (median), {:.1?} (p99), {:.1?} (most) of {}", at(50), at(99), at(100), times.len())
}
