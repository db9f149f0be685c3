//! `dgate-cli explain`.

use std::fmt::Write;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, style};

/// A request that nobody sends.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dgate-cli explain /hello/world\n  dgate-cli explain POST http://shop.example.com/cart -H 'x-beta: 1'"
)]
pub(crate) struct Explain {
    /// The method, if it is not GET, and the path or the URL.
    #[arg(value_names = ["METHOD", "PATH|URL"], required = true, num_args = 1..=2)]
    request: Vec<String>,
    /// A header of the request. May be given several times.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The host, if the path is no URL.
    #[arg(long)]
    host: Option<String>,
    /// Who asks: the value of the header or cookie of `proxy.canary.sticky`, or an address.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// A canary tag that it carries whatever it draws, `!name:value` for one that it does not. May be given several times.
    #[arg(long = "force", value_name = "[!]NAME:VALUE")]
    forced: Vec<String>,
    /// When it comes, as in `2030-01-31T08:00:00Z`; now when absent.
    #[arg(long, value_name = "INSTANT", conflicts_with = "send")]
    at: Option<String>,
    /// Really send the request through the gateway, and show the answer.
    #[arg(long)]
    send: bool,
    /// The body to send.
    #[arg(short, long, value_name = "TEXT", requires = "send")]
    data: Option<String>,
}

impl Explain {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let question = self.question()?;
        let answer = context.client()?.post("/api/v1/explain").json(&question).send().await?.into_data();
        if context.output.is_for_people() {
            output::text(describe(&answer).trim_end())?;
        } else {
            context.output.value(&answer)?;
        }
        Ok(Exit::Success)
    }

    fn question(&self) -> Result<Value, Failure> {
        let (method, target) = match self.request.as_slice() {
            [method, target] => (method.to_ascii_uppercase(), target),
            [target] => ("GET".to_owned(), target),
            _ => return Err(Failure::usage("a path or a URL is missing")),
        };
        let mut question = json!({ "method": method });
        let host = match target.split_once("://") {
            None if target.starts_with('/') => {
                question["path"] = target.as_str().into();
                self.host.clone()
            }
            None => {
                let help = "write it like `/path` or `http://host/path`";
                return Err(Failure::usage(format!("`{target}` is neither a path nor a URL")).with_help(help));
            }
            Some((_, rest)) => {
                let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                question["path"] = if path.is_empty() { "/".into() } else { path.into() };
                if self.host.as_deref().is_some_and(|given| given != host) {
                    return Err(Failure::usage("the host is given twice, in the URL and by `--host`"));
                }
                Some(host.to_owned())
            }
        };
        if let Some(host) = host {
            question["host"] = without_port(&host).into();
        }
        let mut headers = Map::new();
        for header in &self.headers {
            let Some((name, value)) = header.split_once(':') else {
                let help = "write it like `x-name: value`";
                return Err(Failure::usage(format!("`{header}` is no header")).with_help(help));
            };
            headers.insert(name.trim().to_ascii_lowercase(), value.trim().into());
        }
        if !headers.is_empty() {
            question["headers"] = headers.into();
        }
        if !self.forced.is_empty() {
            question["forced"] = self.forced.clone().into();
        }
        for (name, value) in [("key", &self.key), ("at", &self.at)] {
            if let Some(value) = value {
                question[name] = value.as_str().into();
            }
        }
        if self.send {
            question["send"] = true.into();
        }
        if let Some(data) = &self.data {
            question["body"] = data.as_str().into();
        }
        Ok(question)
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

/// The way of the request, from the host to the endpoint, with every route that was tried.
fn describe(answer: &Value) -> String {
    let mut text = String::new();
    let mut line = |head: &str, what: String| {
        if !what.is_empty() {
            let _ = writeln!(text, "{head:<10}{what}");
        }
    };
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let domain = &answer["domain"];
    let namespace =
        domain["namespace"].as_str().map(|name| format!(" → namespace {name}")).unwrap_or_default();
    line("host", format!("{}{namespace}: {}", word(&domain["host"]), word(&domain["reason"])));
    for candidate in answer["candidates"].as_array().into_iter().flatten() {
        let (route, pattern) = (word(&candidate["route"]), word(&candidate["pattern"]));
        let sign = signed(&candidate["wins"]);
        line("route", format!("{sign} {route}  {pattern}: {}", word(&candidate["reason"])));
        for condition in candidate["conditions"].as_array().into_iter().flatten() {
            let sign = signed(&condition["holds"]);
            line("", format!("  {sign} {}: {}", word(&condition["condition"]), word(&condition["why"])));
        }
    }
    line("variant", word(&answer["variant"]));
    line("answer", word(&answer["refused"]));
    let route = &answer["route"];
    line("captured", parameters(route));
    line("modules", words(&route["modules"]));
    line("service", word(&route["service"]));
    for endpoint in route["endpoints"].as_array().into_iter().flatten() {
        line("endpoint", format!("{}{}", word(&endpoint["url"]), word(&route["upstream_path"])));
    }
    if let Some(sent) = answer.get("answer") {
        describe_sent(sent, &mut text);
    }
    text
}

fn signed(is_so: &Value) -> String {
    let (sign, style) = if *is_so == true { ('✓', style::ADDED) } else { ('✗', style::REMOVED) };
    format!("{style}{sign}{style:#}")
}

/// The answer to a request that was really sent, as HTTP shows it.
fn describe_sent(sent: &Value, text: &mut String) {
    let took = sent["took_ms"].as_f64().unwrap_or_default();
    let _ = writeln!(text, "\n{} after {took:.1} ms", sent["status"]);
    for (name, value) in sent["headers"].as_object().into_iter().flatten() {
        let _ = writeln!(text, "{name}: {}", value.as_str().unwrap_or_default());
    }
    let _ = writeln!(text, "\n{}", sent["body"].as_str().unwrap_or_default());
    if sent["truncated"] == true {
        let _ = writeln!(text, "… (there is more)");
    }
}

fn words(list: &Value) -> String {
    let words = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    words.collect::<Vec<_>>().join(", ")
}

fn parameters(route: &Value) -> String {
    let parameters = route["parameters"].as_object().into_iter().flatten();
    let parameters = parameters.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
    parameters.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(words: &[&str], headers: &[&str], host: Option<&str>) -> Result<Value, Failure> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Explain {
            request: owned(words),
            headers: owned(headers),
            host: host.map(str::to_owned),
            key: None,
            forced: Vec::new(),
            at: None,
            send: false,
            data: None,
        }
        .question()
    }

    #[test]
    fn paths_and_urls_are_understood() {
        for (words, expected) in [
            (&["/a?b=c"] as &[_], json!({ "method": "GET", "path": "/a?b=c" })),
            (&["post", "http://x.com:8080/a"], json!({ "method": "POST", "path": "/a", "host": "x.com" })),
            (&["https://x.com"], json!({ "method": "GET", "path": "/", "host": "x.com" })),
        ] {
            assert_eq!(question(words, &[], None).unwrap(), expected);
        }
        let with = question(&["/a"], &["X-Beta:  1"], Some("x.com")).unwrap();
        assert_eq!(
            with,
            json!({ "method": "GET", "path": "/a", "host": "x.com", "headers": { "x-beta": "1" } })
        );
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (words, headers, host) in [
            (&["a"] as &[_], &[] as &[_], None),
            (&["/a"], &["nonsense"], None),
            (&["http://x/a"], &[], Some("y")),
        ] {
            assert_eq!(question(words, headers, host).unwrap_err().exit(), Exit::Usage);
        }
    }
}
