//! A real gRPC server and client, with the gateway between them.

mod calls;
mod client;
mod faults;
mod server;
mod service;

use bytes::{Buf, BufMut, Bytes};
use dgate_core::Kind::*;
use dgate_proxy::Gateway;
use dgate_proxy::testing::TestGateway;
use serde_json::{Value, json};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use crate::resource;
use crate::tls::Authority;
use client::Client;
use server::GrpcServer;

/// Messages are bytes: what is in them is nobody's business on the way.
#[derive(Debug, Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

/// A server, a gateway in front of it and a client of that.
struct Line {
    server: GrpcServer,
    gateway: TestGateway,
    client: Client,
}

impl Line {
    /// HTTP/2 without TLS on both sides.
    async fn plain() -> Self {
        Self::with(&json!({})).await
    }

    /// The same, for a service with options of its own.
    async fn with(options: &Value) -> Self {
        let server = GrpcServer::plain();
        let gateway = TestGateway::start(resources(&server.url(), options)).await;
        let client = Client::plain(gateway.address()).await;
        Self { server, gateway, client }
    }

    /// TLS on both sides.
    async fn encrypted() -> Self {
        let authority = Authority::new();
        let server = GrpcServer::encrypted(&authority);
        let trust = json!({ "tls": { "ca": authority.pem(), "server_name": "grpc.example" } });
        let builder = Gateway::builder()
            .spec(resources(&server.url(), &trust))
            .settings(super::support::tls::settings(&authority, "api.example"));
        let gateway = TestGateway::build_tls(builder).await;
        let client = Client::encrypted(gateway.address(), authority).await;
        Self { server, gateway, client }
    }
}

fn resources(url: &str, options: &Value) -> [dgate_core::resource::AnyResource; 2] {
    let mut service = json!({ "name": "talk", "urls": [url] });
    service.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    let route = json!({ "name": "talk", "paths": ["/talk.Talk/**"], "service": "talk" });
    [resource(Service, service), resource(Route, route)]
}
