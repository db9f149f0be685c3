//! Load: wrk for HTTP/1.1, h2load for HTTP/2.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::contender::Running;
use super::pinned;
use super::scenario::{Protocol, Scenario};
use crate::command;

/// What one run of load shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) requests: u32,
    /// CPU time of the gateway.
    pub(crate) cpu: Duration,
    pub(crate) per_second: f64,
}

/// Loads a running gateway for some seconds.
///
/// # Errors
///
/// When not every request was answered well: what fails fast is not fast.
pub(crate) fn run(running: &Running, scenario: &Scenario, folder: &Path, seconds: u32) -> Result<Window> {
    let mut command = match scenario.protocol {
        Protocol::Http1 | Protocol::Tls => wrk(scenario, folder, seconds)?,
        Protocol::Http2 => h2load(scenario, seconds),
    };
    let before = running.process.cpu_time()?;
    let printed = command::output(command.arg(running.url(scenario)))?;
    let cpu = running.process.cpu_time()?.saturating_sub(before);
    let count = match scenario.protocol {
        Protocol::Http1 | Protocol::Tls => read_wrk(&printed),
        Protocol::Http2 => read_h2load(&printed),
    };
    let (requests, per_second) = count.with_context(|| printed)?;
    Ok(Window { requests, cpu, per_second })
}

fn wrk(scenario: &Scenario, folder: &Path, seconds: u32) -> Result<Command> {
    let mut command = pinned::on(pinned::OTHERS, "wrk");
    command.args(["--threads", "1", "--connections", &scenario.connections.to_string()]);
    command.args(["--duration", &format!("{seconds}s")]);
    if scenario.close {
        command.args(["--header", "Connection: close"]);
    }
    if let Some(script) = script(scenario) {
        let file = folder.join(format!("{}.lua", scenario.name));
        fs::write(&file, script)?;
        command.arg("--script").arg(file);
    }
    Ok(command)
}

/// What wrk cannot be told by arguments.
fn script(scenario: &Scenario) -> Option<String> {
    if scenario.upload > 0 {
        return Some(format!("wrk.method = \"POST\"\nwrk.body = string.rep(\"x\", {})\n", scenario.upload));
    }
    let (last, size) = (scenario.routes - 1, scenario.response);
    (scenario.routes > 1).then(|| {
        format!(
            "local requests = {{}}
init = function()
  for route = 0, {last} do requests[#requests + 1] = wrk.format(nil, string.format(\"/r/%05d/{size}\", route)) end
end
request = function() return requests[math.random(#requests)] end
"
        )
    })
}

fn h2load(scenario: &Scenario, seconds: u32) -> Command {
    let mut command = pinned::on(pinned::OTHERS, "h2load");
    command.args(["--threads=1", "--max-concurrent-streams=16"]);
    command.args([format!("--clients={}", scenario.connections), format!("--duration={seconds}")]);
    command
}

/// `N requests in T`, and `Requests/sec:`; lines about errors only when there are some.
fn read_wrk(printed: &str) -> Result<(u32, f64)> {
    if printed.contains("Non-2xx") || printed.contains("Socket errors") {
        bail!("not every request was answered well");
    }
    let requests = printed.split(" requests in ").next().and_then(|text| text.split_whitespace().last());
    let (_, rate) = printed.split_once("Requests/sec:").context("no rate")?;
    let rate = rate.split_whitespace().next().context("no rate")?;
    Ok((requests.context("no count")?.parse()?, rate.parse()?))
}

/// `finished in T, R req/s, …` and `requests: N total, N started, N done, N succeeded, N failed, …`.
fn read_h2load(printed: &str) -> Result<(u32, f64)> {
    let before = |mark: &str| -> Result<f64> {
        let (text, _) = printed.split_once(mark).with_context(|| format!("no `{mark}`"))?;
        Ok(text.split_whitespace().last().context("no number")?.parse()?)
    };
    let (done, well) = (before(" done,")?, before(" 2xx,")?);
    if done > well || before(" failed,")? > 0.0 {
        bail!("not every request was answered well");
    }
    let (_, counts) = printed.split_once("requests: ").context("no counts")?;
    let done = counts.split(" done,").next().and_then(|text| text.split_whitespace().last());
    Ok((done.context("no count")?.parse()?, before(" req/s")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrk_is_read() {
        let good = "Running 1s test @ http://localhost\n  1 threads and 64 connections\n  69117 requests in 1.10s, 9.03MB read\n\
                    Requests/sec:  62834.91\nTransfer/sec:      8.21MB\n";
        assert_eq!(read_wrk(good).unwrap(), (69_117, 62_834.91));
        let bad = good.replace("Requests/sec", "  Non-2xx or 3xx responses: 3\nRequests/sec");
        assert!(read_wrk(&bad).is_err());
        let bad = good
            .replace("Requests/sec", "  Socket errors: connect 0, read 7, write 0, timeout 0\nRequests/sec");
        assert!(read_wrk(&bad).is_err());
    }

    #[test]
    fn h2load_is_read() {
        let good = "finished in 1.00s, 55482.00 req/s, 9.42MB/s\n\
                    requests: 55482 total, 55738 started, 55482 done, 55482 succeeded, 0 failed, 0 errored, 0 timeout\n\
                    status codes: 55482 2xx, 0 3xx, 0 4xx, 0 5xx\n";
        assert_eq!(read_h2load(good).unwrap(), (55_482, 55_482.0));
        assert!(read_h2load(&good.replace("55482 2xx", "55480 2xx")).is_err());
        assert!(read_h2load(&good.replace(" 0 failed", " 1 failed")).is_err());
    }
}
