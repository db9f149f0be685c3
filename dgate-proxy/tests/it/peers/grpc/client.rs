//! The client: tonic.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{IntoRequest, IntoStreamingRequest, Response, Status, Streaming};
use tower::service_fn;

use super::super::support::tls;
use super::Raw;
use crate::tls::Authority;

/// The largest message that is taken.
const LIMIT: usize = 8 << 20;

/// A gRPC client on one connection.
#[derive(Clone)]
pub(super) struct Client(Grpc<Channel>);

impl Client {
    pub(super) async fn plain(address: SocketAddr) -> Self {
        let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Self::on(channel)
    }

    /// To `api.example`.
    pub(super) async fn encrypted(address: SocketAddr, authority: Authority) -> Self {
        let authority = Arc::new(authority);
        let connector = service_fn(move |_| {
            let authority = authority.clone();
            async move { tls::connect(&authority, address, "api.example", "h2").await.map(TokioIo::new) }
        });
        let endpoint = Endpoint::from_static("https://api.example");
        Self::on(endpoint.connect_with_connector(connector).await.unwrap())
    }

    fn on(channel: Channel) -> Self {
        Self(Grpc::new(channel).max_decoding_message_size(LIMIT))
    }

    async fn ready(&mut self) {
        self.0.ready().await.unwrap();
    }

    pub(super) async fn say(&mut self, request: impl IntoRequest<Bytes>) -> Result<Response<Bytes>, Status> {
        self.unary("/talk.Talk/Say", request).await
    }

    pub(super) async fn unary(
        &mut self,
        method: &'static str,
        request: impl IntoRequest<Bytes>,
    ) -> Result<Response<Bytes>, Status> {
        self.ready().await;
        self.0.unary(request.into_request(), PathAndQuery::from_static(method), Raw).await
    }

    pub(super) async fn sum(
        &mut self,
        messages: impl Stream<Item = Bytes> + Send + 'static,
    ) -> Result<Response<Bytes>, Status> {
        self.ready().await;
        let path = PathAndQuery::from_static("/talk.Talk/Sum");
        self.0.client_streaming(messages.into_streaming_request(), path, Raw).await
    }

    pub(super) async fn count(
        &mut self,
        request: impl IntoRequest<Bytes>,
    ) -> Result<Response<Streaming<Bytes>>, Status> {
        self.ready().await;
        let path = PathAndQuery::from_static("/talk.Talk/Count");
        self.0.server_streaming(request.into_request(), path, Raw).await
    }

    pub(super) async fn chat(
        &mut self,
        messages: impl Stream<Item = Bytes> + Send + 'static,
    ) -> Result<Response<Streaming<Bytes>>, Status> {
        self.ready().await;
        let path = PathAndQuery::from_static("/talk.Talk/Chat");
        self.0.streaming(messages.into_streaming_request(), path, Raw).await
    }
}
