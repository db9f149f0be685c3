//! `module run`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use dgate_core::resource::{AnyResource, Route, Service};
use dgate_modules::local::{LocalGateway, Network, Project, Reply};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use serde_json::{Value, json};

use super::{is_source, network, project};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Which module gets which request.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: dgate-cli module run greet.ts --request 'GET /hello/Ann' --allow os:net:http\n\n\
    Routes come from YAML files beside the module; without any, every path leads to it. Upstreams are not asked: a \
    request that the module does not answer gets an echo of itself."
)]
pub(crate) struct Run {
    /// The module's file, or a folder whose YAML files have routes.
    file: PathBuf,
    /// Method and path, or a URL whose host is meant as well.
    #[arg(short, long, value_name = "REQUEST", default_value = "GET /")]
    request: String,
    /// A header of the request. May be given several times.
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The request's body; `@FILE` for that of a file.
    #[arg(long, value_name = "TEXT")]
    body: Option<String>,
    /// What modules may do, besides what files grant them. May be given several times.
    #[arg(long, value_name = "PERMISSION")]
    allow: Vec<String>,
    /// Send the request so often, and tell how long it takes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    bench: Option<u32>,
}

impl Run {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        is_source(&self.file)?;
        let project = project(&self.file, &self.allow)?;
        let request = self.request()?;
        let gateway = self.gateway(&project, context).await?;
        // What belongs to one thread stays on it: hooks run right here, as in a server.
        dgate_core::worker::enter(0);
        let reply = gateway.send(request.clone()).await;
        let failed = !reply.failures.is_empty();
        let times = match self.bench {
            Some(count) => Some(bench(&gateway, &request, count).await),
            None => None,
        };
        if context.output.is_for_people() {
            show(&reply, times, context)?;
            if reply.route.is_none() {
                context.output.say(untaken(&request, &project));
            }
        } else {
            context.output.value(&to_json(&reply, times))?;
        }
        Ok(if failed { Exit::Failed } else { Exit::Success })
    }

    async fn gateway(&self, project: &Project, context: &Context) -> Result<LocalGateway, Failure> {
        let invalid = |problems| Failure::invalid("the module is not valid", &problems);
        let network = Network { fetch: Some(network::client(context)?) };
        let gateway = LocalGateway::start(project, network).await.map_err(invalid)?;
        if project.has_routes() {
            return Ok(gateway);
        }
        let Some(name) = project.name_of(&self.file) else {
            let message = format!("{} has no routes, and is no module", self.file.display());
            let help = "name a module's file: without routes, every path leads to it";
            return Err(Failure::new(Exit::NotFound, message).with_help(help));
        };
        let mut route = Route::new(name, "/**");
        route.modules = vec![name.to_owned()];
        if !gateway.answers(name).await.map_err(invalid)? {
            gateway.put(Service::new("upstream", ["http://upstream.example"])).await.map_err(invalid)?;
            route = route.to_service("upstream");
        }
        gateway.put(route).await.map_err(invalid)?;
        Ok(gateway)
    }

    fn request(&self) -> Result<Request<Bytes>, Failure> {
        let wrong = |why: String| Failure::usage(format!("`{}`: {why}", self.request));
        let (method, target) = match self.request.trim().split_once(char::is_whitespace) {
            Some((method, target)) => (method, target.trim()),
            None => ("GET", self.request.trim()),
        };
        let method: Method = method.parse().map_err(|_| wrong(format!("`{method}` is no method")))?;
        if !target.starts_with('/') && !target.contains("://") {
            let failure = wrong(format!("`{target}` is no path: it begins with `/`"));
            return Err(failure.with_help("a request is written like `GET /hello?name=Ann`"));
        }
        let uri: Uri = target.parse().map_err(|error| wrong(format!("`{target}` is no path: {error}")))?;
        let host = uri.authority().map_or("localhost".to_owned(), ToString::to_string);
        let path = uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let mut request = Request::builder().method(method).uri(path).header("host", host);
        for header in &self.headers {
            let parsed = header.split_once(':').and_then(|(name, value)| {
                let value = HeaderValue::from_str(value.trim()).ok()?;
                Some((name.trim().parse::<HeaderName>().ok()?, value))
            });
            let (name, value) = parsed.ok_or_else(|| {
                Failure::usage(format!("`{header}` is no header"))
                    .with_help("write it like `accept: text/html`")
            })?;
            request = request.header(name, value);
        }
        request.body(self.body()?).map_err(|error| wrong(error.to_string()))
    }

    fn body(&self) -> Result<Bytes, Failure> {
        match self.body.as_deref().map(|text| (text, text.strip_prefix('@'))) {
            None => Ok(Bytes::new()),
            Some((text, None)) => Ok(Bytes::from(text.to_owned())),
            Some((_, Some(file))) => std::fs::read(file)
                .map(Bytes::from)
                .map_err(|error| Failure::usage(format!("{file} cannot be read: {error}"))),
        }
    }
}

/// Says which routes there are, and that a request is for none of them.
fn untaken(request: &Request<Bytes>, project: &Project) -> String {
    let routes = project.resources().iter().filter_map(|resource| match resource {
        AnyResource::Route(route) => Some(format!("{} ({})", route.name, route.paths.join(", "))),
        _ => None,
    });
    let routes: Vec<String> = routes.collect();
    format!("no route takes `{} {}`; there are: {}", request.method(), request.uri(), routes.join(", "))
}

/// The median, and the 99th of a hundred.
async fn bench(gateway: &LocalGateway, request: &Request<Bytes>, count: u32) -> (Duration, Duration) {
    let mut times = Vec::new();
    for _ in 0..count {
        let started = Instant::now();
        gateway.send(request.clone()).await;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

fn show(reply: &Reply, times: Option<(Duration, Duration)>, context: &Context) -> Result<(), Failure> {
    let (head, body) = (&reply.response, reply.response.body());
    let reason = head.status().canonical_reason().unwrap_or_default();
    let mut lines = format!("HTTP/1.1 {} {reason}\n", head.status().as_u16());
    for (name, value) in head.headers() {
        let _ = writeln!(lines, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    output::text(lines)?;
    output::bytes(body)?;
    if !body.ends_with(b"\n") {
        output::text("")?;
    }
    for line in &reply.console {
        context.output.say(format!("[{} {}] {}", line.module, line.level, line.text));
    }
    for failure in &reply.failures {
        context.output.say(format!("failed: {failure}"));
    }
    if let Some(upstream) = &reply.upstream {
        context.output.say(format!("upstream: {upstream}"));
    }
    for hook in &reply.hooks {
        context.output.say(format!("{}: {:.1?}", hook.hook, hook.took));
    }
    if let Some((median, most)) = times {
        context.output.say(format!("one request: {median:.1?} (median), {most:.1?} (p99)"));
    }
    Ok(())
}

fn to_json(reply: &Reply, times: Option<(Duration, Duration)>) -> Value {
    let headers: Vec<Value> = reply
        .response
        .headers()
        .iter()
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect();
    let console: Vec<Value> = reply
        .console
        .iter()
        .map(|line| json!({ "level": line.level, "module": line.module, "hook": line.hook, "text": line.text }))
        .collect();
    let hooks: Vec<Value> = reply
        .hooks
        .iter()
        .map(|hook| json!({ "hook": hook.hook, "seconds": hook.took.as_secs_f64() }))
        .collect();
    json!({
        "status": reply.response.status().as_u16(), "route": reply.route, "headers": headers,
        "body": String::from_utf8_lossy(reply.response.body()), "console": console, "hooks": hooks,
        "upstream": reply.upstream, "denied": reply.denied,
        "failures": reply.failures.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "median_seconds": times.map(|(median, _)| median.as_secs_f64()),
        "p99_seconds": times.map(|(_, most)| most.as_secs_f64()),
    })
}
