//! The service: it talks.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tonic::metadata::MetadataMap;
use tonic::server::Grpc;
use tonic::{Code, Request, Response, Status, Streaming};
use tower::service_fn;

use super::Raw;

/// The largest message that is taken.
const LIMIT: usize = 8 << 20;

/// The service, with one method of each kind.
#[derive(Clone)]
pub(super) struct Talk {
    pub(super) events: mpsc::UnboundedSender<&'static str>,
}

pub(super) async fn answer(
    request: http::Request<tonic::body::Body>,
    talk: Talk,
) -> Result<http::Response<tonic::body::Body>, Infallible> {
    let mut grpc = Grpc::new(Raw).max_decoding_message_size(LIMIT);
    Ok(match request.uri().path() {
        "/talk.Talk/Say" => grpc.unary(service_fn(|asked| say(talk.clone(), asked)), request).await,
        "/talk.Talk/Sum" => grpc.client_streaming(service_fn(sum), request).await,
        "/talk.Talk/Count" => {
            grpc.server_streaming(service_fn(|asked| count(talk.clone(), asked)), request).await
        }
        "/talk.Talk/Chat" => grpc.streaming(service_fn(|asked| chat(talk.clone(), asked)), request).await,
        _ => Status::unimplemented("no such method").into_http(),
    })
}

/// Says the same, with what it was told about the call; or fails, or never answers, when asked to.
async fn say(talk: Talk, request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
    let metadata = request.metadata().clone();
    let message = request.into_inner();
    match &*message {
        b"fail" => Err(failure(&metadata)),
        b"never" => {
            talk.events.send("never was asked").unwrap();
            let _gone = Gone(talk.events, "never was given up");
            std::future::pending().await
        }
        _ => {
            let mut response = Response::new(message);
            *response.metadata_mut() = asked_for(&metadata);
            Ok(response)
        }
    }
}

/// Tells how many messages came, and how large they were together.
async fn sum(request: Request<Streaming<Bytes>>) -> Result<Response<Bytes>, Status> {
    let mut messages = request.into_inner();
    let (mut count, mut size) = (0, 0);
    while let Some(message) = messages.message().await? {
        count += 1;
        size += message.len();
    }
    Ok(Response::new(format!("{count} messages, {size} bytes").into()))
}

/// Counts up to a number; what is no number makes it fail after three.
#[allow(clippy::unused_async, reason = "handlers are")]
async fn count(
    talk: Talk,
    request: Request<Bytes>,
) -> Result<Response<impl Stream<Item = Result<Bytes, Status>>>, Status> {
    let end = std::str::from_utf8(request.get_ref()).unwrap().parse();
    let failure = end.is_err().then(|| Err(failure(request.metadata())));
    let gone = Gone(talk.events, "count was given up");
    let numbers = (0..end.unwrap_or(3)).map(move |number: u32| {
        let _ = &gone;
        Ok(Bytes::from(number.to_string()))
    });
    Ok(Response::new(stream::iter(numbers.chain(failure))))
}

/// Answers each message as it comes.
#[allow(clippy::unused_async, reason = "handlers are")]
async fn chat(
    talk: Talk,
    request: Request<Streaming<Bytes>>,
) -> Result<Response<impl Stream<Item = Result<Bytes, Status>>>, Status> {
    let gone = Gone(talk.events, "chat was given up");
    let answers = request.into_inner().map(move |message| {
        let _ = &gone;
        Ok([b"re: ", &*message?].concat().into())
    });
    Ok(Response::new(answers))
}

/// Notices when nobody waits for an answer any more.
struct Gone(mpsc::UnboundedSender<&'static str>, &'static str);

impl Drop for Gone {
    fn drop(&mut self) {
        let _ = self.0.send(self.1);
    }
}

/// What a caller said about itself, to be said back.
fn asked_for(metadata: &MetadataMap) -> MetadataMap {
    let mut back = MetadataMap::new();
    for value in metadata.get_all("x-text") {
        back.append("x-text", value.clone());
    }
    for value in metadata.get_all_bin("x-bytes-bin") {
        back.append_bin("x-bytes-bin", value.clone());
    }
    back
}

fn failure(metadata: &MetadataMap) -> Status {
    let details = Bytes::from_static(&[0, 1, 0xff]);
    Status::with_details_and_metadata(
        Code::FailedPrecondition,
        "größer als 100 %\n",
        details,
        asked_for(metadata),
    )
}
