//! Uploads: framings, permission to send, refusals.

use std::process::Stdio;

use dgate_core::Kind::*;
use dgate_proxy::testing::{TestClient, TestUpstream};
use http::Request;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Site, WAYS, Way};
use crate::{all_to, resource};

/// Large enough for curl to ask first.
const SIZE: usize = 2 << 20;

async fn sized() -> TestUpstream {
    TestUpstream::http(|seen| async move {
        let length = seen.header("content-length").to_owned();
        http::Response::new(format!("{} bytes, declared {length}", seen.body.len()).into())
    })
    .await
}

/// This curl takes an answer in the middle of an upload for an error of HTTP/2, with any server.
fn ways_to_refuse() -> impl Iterator<Item = Way> {
    WAYS.into_iter().filter(|way| way.version != "2")
}

fn with_file(site: &Site) {
    std::fs::write(site.directory.path().join("file"), vec![b'x'; SIZE]).unwrap();
}

#[tokio::test]
async fn files_are_sent_with_their_length() {
    let upstream = sized().await;
    let site = Site::new(all_to(upstream.url())).await;
    with_file(&site);
    for way in WAYS {
        let output = site.ask(way, "/", &["-T", "file", "-v"]).await;
        assert_eq!(output.stdout, format!("{SIZE} bytes, declared {SIZE}"), "{way:?}: {}", output.stderr);
        let asked = output.stderr.contains("> Expect: 100-continue");
        assert_eq!(asked, way.option == "--http1.1", "{way:?}");
        assert_eq!(asked, output.stderr.contains("< HTTP/1.1 100 Continue"), "{}", output.stderr);
    }
}

#[tokio::test]
async fn streams_are_sent_without_a_length() {
    let upstream = sized().await;
    let site = Site::new(all_to(upstream.url())).await;
    for way in WAYS.into_iter().filter(|way| way.option != "--http1.0") {
        let mut command = site.curl(way);
        command.args(["-T", "-"]).arg(site.url(way, "/"));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = process.stdin.take().unwrap();
        for _ in 0..100 {
            input.write_all(&[b'x'; 10_000]).await.unwrap();
        }
        drop(input);
        let output = process.wait_with_output().await.unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "1000000 bytes, declared ", "{way:?}");
    }
    let options = ["-H", "Transfer-Encoding: chunked", "--data-binary", "hello"];
    assert_eq!(site.ask(WAYS[1], "/", &options).await.stdout, "5 bytes, declared ");
}

#[tokio::test]
async fn who_is_refused_is_not_asked_to_send() {
    let upstream = sized().await;
    let site = Site::new([
        resource(Service, json!({ "name": "s", "urls": [upstream.url()] })),
        resource(Route, json!({ "name": "r", "paths": ["/**"], "service": "s", "max_body": "1MiB" })),
    ])
    .await;
    with_file(&site);
    for way in ways_to_refuse() {
        let options = ["-T", "file", "-o", "answer", "-w", "%{response_code} %{size_upload}"];
        let output = site.ask(way, "/", &options).await;
        let (status, sent) = output.stdout.split_once(' ').unwrap();
        assert_eq!(status, "413", "{way:?}: {}", output.stderr);
        if way.option == "--http1.1" {
            assert_eq!(sent, "0", "{way:?}");
        }
    }
    let mut client = TestClient::http2(site.plain.address()).await;
    let answer = client.send(Request::put("http://site.example/").body(vec![b'x'; SIZE]).unwrap()).await;
    assert_eq!(answer.status(), 413);
    assert!(upstream.seen().is_empty());
}

/// The upstream's word comes through although it did not want the body.
#[tokio::test]
async fn upstreams_may_refuse_in_the_middle() {
    let upstream = TestUpstream::raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 4_096]).await;
        let refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\nConnection: close\r\n\r\nnot me";
        let _ = stream.write_all(refusal).await;
        let _ = stream.shutdown().await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    let site = Site::new(all_to(upstream.url())).await;
    with_file(&site);
    for way in ways_to_refuse() {
        let output = site.ask(way, "/", &["-T", "file", "-w", " %{response_code}"]).await;
        assert_eq!(output.stdout, "not me 403", "{way:?}: {}", output.stderr);
    }
    let mut client = TestClient::http2(site.plain.address()).await;
    let answer = client.send(Request::put("http://site.example/").body(vec![b'x'; SIZE]).unwrap()).await;
    assert_eq!((answer.status().as_u16(), answer.text().as_str()), (403, "not me"));
}
