//! Tries a module with one request, apart from what serves.

use bytes::Bytes;
use http::Request;
use http::header::HOST;

use super::answer::Answer;
use super::call::Call;
use super::endpoint::Reply;
use super::failure::Failure;
use super::fixture::Fixture;
use super::model::RunModule;
use super::server::ModuleTrial;

/// `POST /module/{namespace}/{name}/run`
pub(crate) async fn run(mut call: Call) -> Reply {
    let key = call.key();
    call.check_namespace(&key)?;
    let wish: RunModule = call.read()?;
    let fixture = Fixture::read(&wish.method, &wish.path, &wish.headers)?;
    let live = call.state.live();
    if !live.resources.tables(&key.namespace).is_some_and(|tables| tables.modules.contains(&key.name)) {
        return Err(Failure::not_found(&key));
    }
    let revision = live.revision;
    // A trial may take long; the configuration of now need not live until it is over.
    drop(live);
    let mut request = Request::builder().method(fixture.method.clone()).uri(fixture.target());
    if let Some(headers) = request.headers_mut() {
        *headers = fixture.headers;
        headers.entry(HOST).or_insert(http::HeaderValue::from_static("localhost"));
    }
    let request = request.body(Bytes::from(wish.body));
    let request = request.map_err(|error| Failure::bad_request(format!("this is no request: {error}")))?;
    let trial = ModuleTrial {
        namespace: key.namespace.to_string(),
        module: key.name.to_string(),
        pattern: wish.pattern,
        request,
    };
    let ran = call.state.context.server.run_module(trial).await.map_err(Failure::invalid)?;
    Ok(Answer::new(ran, revision).into_response())
}
