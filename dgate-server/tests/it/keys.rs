//! Keys of the configuration that concern the server itself: each has its effect. Those of the proxy are tested where the
//! proxy is; here only that they reach it.

use dgate_proxy::testing::{RawConnection, TestClient, TestUpstream};
use http::Request;
use serde_json::Value;

use crate::running::{Directory, Running, configuration, get, line_of};

/// A server whose proxy has one more key.
async fn with_proxy(upstream: &TestUpstream, keys: &str) -> Running {
    let text = configuration(&upstream.url(), "");
    Running::start(&text.replace("proxy:\n", &format!("proxy:\n{keys}"))).await
}

async fn seen_header(
    upstream: &TestUpstream,
    running: &Running,
    name: &str,
    headers: &[(&str, &str)],
) -> String {
    let mut request = Request::get("/").header("host", "a.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut client = TestClient::http1(running.address("proxy-http")).await;
    client.send(request.body(String::new()).unwrap()).await;
    upstream.seen().last().unwrap().header(name).to_owned()
}

#[tokio::test]
async fn the_proxys_keys_reach_it() {
    let upstream = TestUpstream::echo().await;

    let running = with_proxy(&upstream, "  global_headers: {x-global: g}\n").await;
    assert_eq!(running.get("/").await.header("x-global"), "g");

    let running = with_proxy(&upstream, "  allowed_domains: [good.example]\n").await;
    let address = running.address("proxy-http");
    assert_eq!(get(address, "good.example", "/").await.status(), 200);
    assert_eq!(get(address, "bad.example", "/").await.status(), 403);

    let running = with_proxy(&upstream, "  allow_list: [10.0.0.0/8]\n").await;
    assert_eq!(running.get("/").await.status(), 403);

    let running = with_proxy(&upstream, "  disable_x_forwarded_headers: true\n").await;
    assert_eq!(seen_header(&upstream, &running, "x-forwarded-for", &[]).await, "");

    let forwarded = [("x-forwarded-for", "1.1.1.1, 2.2.2.2")];
    let running = with_proxy(&upstream, "  trusted_proxies: [127.0.0.0/8]\n").await;
    assert_eq!(seen_header(&upstream, &running, "x-real-ip", &forwarded).await, "2.2.2.2");
    let running =
        with_proxy(&upstream, "  trusted_proxies: [127.0.0.0/8]\n  x_forwarded_for_depth: 2\n").await;
    assert_eq!(seen_header(&upstream, &running, "x-real-ip", &forwarded).await, "1.1.1.1");

    let running =
        with_proxy(&upstream, "  redirect_https: ['*']\n  tls: {port: 0, auto_generate: true}\n").await;
    let answer = running.get("/x").await;
    assert_eq!((answer.status().as_u16(), answer.header("location")), (307, "https://localhost/x"));
    assert!(running.has_listener("proxy-https"));

    let running = with_proxy(&upstream, "  enable_h2c: false\n").await;
    let mut raw = RawConnection::open(running.address("proxy-http")).await;
    raw.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(raw.read_to_end().await.starts_with("HTTP/1.1 505"), "HTTP/2 is not spoken");

    let running = with_proxy(&upstream, "  client_transport: {disable_private_ips: true}\n").await;
    assert_eq!(running.get("/").await.status(), 502);

    let running = with_proxy(&upstream, "  client_transport: {disable_keep_alives: true}\n").await;
    let before = upstream.connections();
    for _ in 0..3 {
        assert_eq!(running.get("/").await.status(), 200);
    }
    assert_eq!(upstream.connections(), before + 3);
}

#[tokio::test]
async fn limits_reach_the_proxy() {
    let upstream = TestUpstream::echo().await;
    let running = with_proxy(
        &upstream,
        "  limits: {header_bytes: 2KiB, headers: 10, uri: 100B, body: 10B, header_timeout: 200ms, idle_timeout: 200ms}\n",
    )
    .await;
    let address = running.address("proxy-http");
    let answer = async |request: String| {
        let mut raw = RawConnection::open(address).await;
        raw.send(request).await;
        raw.read_to_end().await.lines().next().unwrap_or_default().to_owned()
    };
    let head = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n";
    assert!(answer(format!("{head}\r\n")).await.starts_with("HTTP/1.1 200"));
    assert!(answer(format!("{head}x: {}\r\n\r\n", "y".repeat(3_000))).await.starts_with("HTTP/1.1 431"));
    assert!(answer(format!("{head}{}\r\n", "x: y\r\n".repeat(20))).await.starts_with("HTTP/1.1 431"));
    let long = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(200));
    assert!(answer(long).await.starts_with("HTTP/1.1 414"));
    let large = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 11\r\n\r\nhello world".to_owned();
    assert!(answer(large).await.starts_with("HTTP/1.1 413"));
    assert!(answer("GET / HT".to_owned()).await.starts_with("HTTP/1.1 408"), "the head takes too long");
    let mut idle = RawConnection::open(address).await;
    idle.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(idle.read_to_end().await.starts_with("HTTP/1.1 200"), "and then it is closed");
}

#[tokio::test]
async fn unknown_hosts_are_hung_up_on_in_strict_mode() {
    let upstream = TestUpstream::echo().await;
    let text = configuration(&upstream.url(), "")
        .replace("services: [", "domains: [{name: d, patterns: [known.example]}]\n    services: [");
    for (strict, expected) in [("", "HTTP/1.1 404"), ("  strict_mode: true\n", "")] {
        let running = Running::start(&text.replace("proxy:\n", &format!("proxy:\n{strict}"))).await;
        let address = running.address("proxy-http");
        assert_eq!(get(address, "known.example", "/").await.status(), 200);
        let mut raw = RawConnection::open(address).await;
        raw.send("GET / HTTP/1.1\r\nhost: other.example\r\nconnection: close\r\n\r\n").await;
        let said = raw.read_to_end().await;
        assert!(said.starts_with(expected) && said.is_empty() == expected.is_empty(), "{said}");
    }
}

#[tokio::test]
async fn tags_and_the_default_namespace_decide_what_applies() {
    let upstream = TestUpstream::echo().await;
    let text = configuration(&upstream.url(), "").replace("service: s}", "service: s, tags: ['#edge']}");
    assert_eq!(Running::start(&text).await.get("/").await.status(), 404);
    assert_eq!(Running::start(&format!("{text}tags: [edge]\n")).await.get("/").await.status(), 200);

    let directory = Directory::new();
    directory.write("config.yaml", "disable_default_namespace: true\nproxy: {host: 127.0.0.1, port: 0}\nadmin: {port: 0}\nlog_format: json\naccess_log: {format: off}\n");
    let running = Running::start_in(directory, |_| {}).await;
    let answer = running.get("/").await;
    assert_eq!((answer.status().as_u16(), answer.text().as_str()), (404, "No such host\n"));
}

#[tokio::test]
async fn log_keys() {
    let upstream = TestUpstream::echo().await;
    let text = configuration("http://127.0.0.1:1", "");
    let running = Running::start(&text).await;
    assert_eq!(running.get("/").await.status(), 502);
    running.says("a request failed").await;
    let line = line_of(&running.log(), "a request failed").unwrap();
    assert_eq!((line["level"].as_str(), line["route"].as_str()), (Some("WARN"), Some("all")));
    let quiet = Directory::new();
    quiet.write("config.yaml", configuration(&upstream.url(), "log_level: debug"));
    let running = Running::start_in(quiet, |command| {
        command.env("RUST_LOG", "dgate_server=info,dgate_proxy=off");
    })
    .await;
    running.get("/").await;
    assert!(!running.log().contains("\"DEBUG\""), "`RUST_LOG` wins");
}

#[tokio::test]
async fn the_access_log_is_json_common_or_sampled() {
    let upstream = TestUpstream::echo().await;
    let with = |access: &str| configuration(&upstream.url(), "").replace("access_log: {format: off}", access);
    let running = Running::start(&with("")).await;
    let mut client = TestClient::http1(running.address("proxy-http")).await;
    let request = Request::get("/p?token=1")
        .header("host", "h.example")
        .header("user-agent", "test")
        .header("authorization", "Bearer s3cret")
        .header("cookie", "session=s3cret")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let answer = client.send(request.body(String::new()).unwrap()).await;
    crate::eventually("a line", async || !running.stdout().is_empty()).await;
    let line: Value = serde_json::from_str(&running.stdout()).unwrap();
    for (field, expected) in [
        ("request_id", answer.header("x-request-id").into()),
        ("trace_id", "0af7651916cd43dd8448eb211c80319c".into()),
        ("client", "127.0.0.1".into()),
        ("method", "GET".into()),
        ("host", "h.example".into()),
        ("path", "/p".into()),
        ("protocol", "HTTP/1.1".into()),
        ("status", Value::from(200)),
        ("bytes", Value::from(answer.body.len())),
        ("namespace", "default".into()),
        ("route", "all".into()),
        ("service", "s".into()),
        ("endpoint", upstream.url().into()),
        ("attempts", Value::from(1)),
        ("variant", "-".into()),
        ("module_ms", Value::from(0.0)),
        ("user_agent", "test".into()),
    ] {
        assert_eq!(line[field], expected, "{field}: {line}");
    }
    assert!(line["duration_ms"].as_f64() >= line["upstream_ms"].as_f64());
    assert!(!running.stdout().contains("s3cret"), "no credentials");

    let running = Running::start(&with("access_log: {format: common, sample: 0%}")).await;
    running.get("/").await;
    running.stop().await;
    let running = Running::start(&with("access_log: {format: common, path: a.log}")).await;
    running.get("/common").await;
    let path = running.directory.path().join("a.log");
    crate::eventually("a line", async || {
        std::fs::read_to_string(&path).unwrap_or_default().contains("\"GET /common HTTP/1.1\" 200 ")
    })
    .await;
    assert_eq!(running.stdout(), "");
}

#[tokio::test]
async fn admin_keys() {
    let upstream = TestUpstream::echo().await;
    let text = configuration(&upstream.url(), "");
    let with = |admin: &str| text.replace("admin: {port: 0}", &format!("admin: {{port: 0, {admin}}}"));
    let running = Running::start(&with("allow_list: [10.0.0.0/8]")).await;
    assert_eq!(running.admin("/metrics").await.status(), 403);
    assert_eq!(running.admin("/livez").await.status(), 200, "probes are open to everybody");
    let running = Running::start(&with("host: 0.0.0.0, insecure: true")).await;
    assert!(running.address("admin").ip().is_unspecified());
    for (path, status) in
        [("/", 200), ("/livez", 200), ("/readyz", 200), ("/healthz", 200), ("/health", 200), ("/nope", 404)]
    {
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], running.address("admin").port()));
        assert_eq!(get(address, "a", path).await.status(), status, "{path}");
    }
}

#[tokio::test]
async fn the_test_server_shows_what_it_sees() {
    let text = "version: v1
proxy: {host: 127.0.0.1, port: 0}
admin: {port: 0}
log_format: json
access_log: {format: off}
test_server: {port: 0, global_headers: {x-from: test}, enable_env_vars: true}
";
    let directory = Directory::new();
    directory.write("config.yaml", text);
    let running = Running::start_in(directory, |command| {
        command.env("DGATE_SHOWN", "yes");
    })
    .await;
    let mut client = TestClient::http1(running.address("test-server")).await;
    let request = Request::post("/a/b?wait=20ms&x=y").header("host", "t").header("x-a", "1");
    let answer = client.send(request.body("hello".to_owned()).unwrap()).await;
    assert_eq!(answer.header("x-from"), "test");
    let body = answer.json();
    assert_eq!(body["status_code"], 200);
    let data = &body["data"];
    for (field, expected) in [
        ("method", Value::from("POST")),
        ("path", "/a/b?wait=20ms&x=y".into()),
        ("host", "t".into()),
        ("body", "hello".into()),
        ("waited", "20ms".into()),
        ("global_headers", serde_json::json!({ "x-from": "test" })),
    ] {
        assert_eq!(data[field], expected, "{field}");
    }
    assert_eq!(data["req_headers"]["x-a"][0], "1");
    assert_eq!(data["env"]["DGATE_SHOWN"], "yes");
    assert!(data["remote_addr"].as_str().unwrap().starts_with("127.0.0.1:"));
    let request = Request::get("/?wait=long").header("host", "t").body(String::new()).unwrap();
    let answer = client.send(request).await;
    assert_eq!((answer.status().as_u16(), &answer.json()["status_code"]), (400, &400.into()));
}

#[tokio::test]
async fn certificates_come_by_name_and_change_live() {
    let upstream = TestUpstream::echo().await;
    let directory = Directory::new();
    let write = |directory: &Directory, name: &str| {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        directory.write("cert.pem", made.cert.pem());
        directory.write("key.pem", made.signing_key.serialize_pem());
        made.cert.der().to_vec()
    };
    let first = write(&directory, "a.example");
    let text = configuration(&upstream.url(), "").replace(
        "proxy:\n",
        "proxy:\n  tls: {port: 0, cert_file: cert.pem, key_file: key.pem, min_version: '1.3'}\n",
    );
    directory.write("config.yaml", text);
    let running = Running::start_in(directory, |_| {}).await;
    let address = running.address("proxy-https");
    assert_eq!(certificate(address, "a.example").await, first);
    let second = write(&running.directory, "b.example");
    running.signal(rustix::process::Signal::HUP);
    running.says("the configuration was read again").await;
    assert_eq!(certificate(address, "b.example").await, second);
}

#[tokio::test]
async fn the_admin_listener_speaks_tls() {
    let upstream = TestUpstream::echo().await;
    let directory = Directory::new();
    let write = |directory: &Directory| {
        let made = rcgen::generate_simple_self_signed(["admin.example".to_owned()]).unwrap();
        directory.write("cert.pem", made.cert.pem());
        directory.write("key.pem", made.signing_key.serialize_pem());
        made.cert.der().to_vec()
    };
    let first = write(&directory);
    let text = configuration(&upstream.url(), "");
    let with_tls = "admin: {port: 0, tls: {cert_file: cert.pem, key_file: key.pem}}";
    directory.write("config.yaml", text.replace("admin: {port: 0}", with_tls));
    let running = Running::start_in(directory, |_| {}).await;
    let address = running.address("admin");
    assert_eq!(certificate(address, "admin.example").await, first);
    let check = || {
        let mut command = crate::running::program();
        command.arg("-c").arg(running.directory.path().join("config.yaml"));
        crate::running::output(command.args(["healthcheck", "--address", &address.to_string()])).status.code()
    };
    assert_eq!(check(), Some(0));
    let second = write(&running.directory);
    assert_eq!(check(), Some(1), "the file has another certificate than the server");
    running.signal(rustix::process::Signal::HUP);
    running.says("the configuration was read again").await;
    assert_eq!(certificate(address, "admin.example").await, second);
    assert_eq!(check(), Some(0));
    running.directory.write("key.pem", "no key");
    running.signal(rustix::process::Signal::HUP);
    running.says("the configuration stays as it was").await;
    assert_eq!(certificate(address, "admin.example").await, second, "a bad file changes nothing");
}

/// The certificate that a server shows to whoever asks for a name.
pub(crate) async fn certificate(address: std::net::SocketAddr, name: &str) -> Vec<u8> {
    use std::sync::Arc;
    use tokio_rustls::rustls::pki_types::ServerName;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustsAnybody(provider)))
        .with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = connector.connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[derive(Debug)]
struct TrustsAnybody(std::sync::Arc<rustls::crypto::CryptoProvider>);

impl rustls::client::danger::ServerCertVerifier for TrustsAnybody {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not to be spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A configuration whose only route is answered by a module.
fn with_module(more: &str) -> String {
    format!(
        "version: v1
proxy:
  host: 127.0.0.1
  port: 0
  init_resources:
    modules:
      - name: m
        payload_raw: |
          import {{ increment }} from 'dgate/storage';
          export async function requestHandler(ctx: any) {{
            ctx.response().json({{ node: ctx.node(), count: increment('n') }});
          }}
    routes: [{{name: all, paths: ['/**'], modules: [m]}}]
admin: {{port: 0}}
access_log: {{format: off}}
log_format: json
runtime: {{workers: 1}}
node_id: here
{more}
"
    )
}

#[tokio::test]
async fn modules_run_with_the_permissions_that_all_have() {
    let running = Running::start(&with_module("modules: {default_permissions: [cache]}")).await;
    let first = running.get("/").await.json();
    assert_eq!((first["node"]["id"].as_str(), first["count"].as_f64()), (Some("here"), Some(1.0)));
    assert_eq!(running.get("/").await.json()["count"], 2);

    let running = Running::start(&with_module("")).await;
    assert_eq!(running.get("/").await.status(), 500, "nothing is allowed by default");
}

#[tokio::test]
async fn runtimes_are_kept_as_the_pool_says() {
    let pool = "modules: {default_permissions: [cache], pool: {max_calls: 2, idle_timeout: 100ms, max_threads: 1, mailbox: 8}}";
    let running = Running::start(&with_module(pool)).await;
    for _ in 0..4 {
        assert_eq!(running.get("/").await.status(), 200);
    }
    let metrics = get(running.address("admin"), "localhost", "/metrics").await.text();
    assert!(metrics.contains("dgate_module_runtimes_retired_total{reason=\"max_calls\"} 2"), "{metrics}");
}

#[tokio::test]
async fn storage_keys() {
    let upstream = TestUpstream::echo().await;
    let with = |storage: &str| {
        let text = configuration(&upstream.url(), "");
        text.replace("storage: {type: memory}", &format!("storage: {{{storage}}}"))
    };
    let running = Running::start(&with("dir: kept, changelog: {max_age: 1h, max_size: 1MiB}")).await;
    let database = running.directory.path().join("kept/dgate.redb");
    assert!(database.exists() && running.directory.path().join("kept/encryption.key").exists());
    assert_eq!(running.admin("/api/v1/stats").await.json()["data"]["storage"], "file");
    let running = Running::start(&with("dir: kept, encryption_key_file: secret.key")).await;
    assert!(running.directory.path().join("secret.key").exists());
    assert!(!running.directory.path().join("kept/encryption.key").exists());
    let key = "ab".repeat(32);
    let running = Running::start(&with(&format!("dir: kept, encryption_key: {key}"))).await;
    assert!(!running.directory.path().join("kept/encryption.key").exists());
}

#[tokio::test]
async fn admin_authentication_keys() {
    let upstream = TestUpstream::echo().await;
    let text = configuration(&upstream.url(), "");
    let with = |admin: &str| text.replace("admin: {port: 0}", &format!("admin: {{port: 0, {admin}}}"));
    let status = async |running: &Running, header: (&str, &str), path: &str| {
        let request = http::Request::get(path).header("host", "localhost").header(header.0, header.1);
        let mut client = dgate_proxy::testing::TestClient::http1(running.address("admin")).await;
        client.send(request.body(String::new()).unwrap()).await.status()
    };
    // `ann:hunter2`
    let ann = ("authorization", "Basic YW5uOmh1bnRlcjI=");
    let users = "auth_method: basic, basic_auth: {users: [{username: ann, password: hunter2, role: viewer, namespaces: [n]}]}";
    let running = Running::start(&with(users)).await;
    assert_eq!(running.admin("/api/v1/stats").await.status(), 401);
    assert_eq!(status(&running, ann, "/api/v1/stats").await, 200);
    assert_eq!(status(&running, ann, "/api/v1/route?namespace=default").await, 403);
    assert!(running.log().contains("hash-password") && !running.log().contains("hunter2"));
    let keys = "auth_method: key, key_auth: {header_name: X-K, query_param_name: k, keys: [{name: ci, key: abc, role: viewer, namespaces: []}]}";
    let running = Running::start(&with(keys)).await;
    assert_eq!(status(&running, ("x-k", "abc"), "/api/v1/stats").await, 200);
    assert_eq!(status(&running, ("x-k", "abd"), "/api/v1/stats").await, 401);
    assert_eq!(status(&running, ("x-other", "abc"), "/api/v1/stats?k=abc").await, 200);
    let running = Running::start(&with("watch_only: true")).await;
    let put =
        http::Request::put("/api/v1/namespace/n").header("host", "localhost").body("{}".to_owned()).unwrap();
    let mut client = dgate_proxy::testing::TestClient::http1(running.address("admin")).await;
    assert_eq!(client.send(put).await.status(), 403);
}
