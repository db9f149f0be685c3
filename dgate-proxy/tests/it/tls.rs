use std::sync::Arc;

use dgate_core::Kind::*;
use dgate_core::apply::ChangeSet;
use dgate_proxy::testing::{TestGateway, TestUpstream};
use dgate_proxy::{FallbackCertificate, Gateway, ProxySettings};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::resource;

pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate and its key for a name.
    pub(crate) fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        // With the authority's own name it would look signed by itself.
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Asks for `/` under a server name; returns the answer and the protocol agreed on.
async fn https(
    gateway: &TestGateway,
    authority: &Authority,
    name: &str,
    alpn: &[&str],
) -> Result<(String, String), String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let mut config = rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let tcp = TcpStream::connect(gateway.address()).await.unwrap();
    let server_name = ServerName::try_from(name.to_owned()).unwrap();
    let mut stream = connector.connect(server_name, tcp).await.map_err(|error| error.to_string())?;
    let protocol = stream
        .get_ref()
        .1
        .alpn_protocol()
        .map_or_else(String::new, |name| String::from_utf8(name.to_vec()).unwrap());
    if protocol == "h2" {
        return Ok((String::new(), protocol));
    }
    stream
        .write_all(format!("GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.map_err(|error| error.to_string())?;
    Ok((answer, protocol))
}

#[tokio::test]
async fn certificates_are_chosen_by_name_and_changed_live() {
    let upstream = TestUpstream::echo().await;
    let authority = Authority::new();
    let (fallback_cert, fallback_key) = authority.issue("fallback.example");
    let mut settings = ProxySettings::default();
    settings.fallback_certificate = Some(FallbackCertificate { cert: fallback_cert, key: fallback_key });
    let gateway =
        TestGateway::build_tls(Gateway::builder().spec(crate::all_to(upstream.url())).settings(settings))
            .await;

    let (answer, protocol) = https(&gateway, &authority, "fallback.example", &["http/1.1"]).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(protocol, "http/1.1");
    assert!(answer.contains("\"x-forwarded-proto\":\"https\""), "{answer}");
    assert_eq!(https(&gateway, &authority, "fallback.example", &["h2", "http/1.1"]).await.unwrap().1, "h2");
    assert!(
        https(&gateway, &authority, "shop.example", &[]).await.is_err(),
        "no certificate for this name yet"
    );

    let domain = |authority: &Authority| {
        let (cert, key) = authority.issue("shop.example");
        let domain = json!({ "name": "shop", "patterns": ["shop.example"], "cert": cert, "key": key });
        ChangeSet::new().put(resource(Domain, domain))
    };
    gateway.apply(domain(&authority)).await.unwrap();
    assert!(https(&gateway, &authority, "shop.example", &[]).await.unwrap().0.starts_with("HTTP/1.1 200 "));

    let other = Authority::new();
    gateway.apply(domain(&other)).await.unwrap();
    assert!(https(&gateway, &authority, "shop.example", &[]).await.is_err(), "the old certificate is gone");
    assert!(https(&gateway, &other, "shop.example", &[]).await.unwrap().0.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn bad_certificates_are_refused_before_they_go_live() {
    let gateway = TestGateway::start([]).await;
    let authority = Authority::new();
    let ((cert, key), (_, other_key)) = (authority.issue("a.example"), authority.issue("a.example"));
    let pem = |label: &str| format!("-----BEGIN {label}-----\nbm9uc2Vuc2U=\n-----END {label}-----\n");
    for (cert, key, reason) in [
        (cert.clone(), other_key, "/key: the private key does not belong to the certificate"),
        (pem("CERTIFICATE"), key.clone(), "/cert"),
        (cert.clone(), pem("PRIVATE KEY"), "/key: the private key cannot be used"),
        (pem("NONSENSE"), key.clone(), "/cert: there is no certificate in it"),
        (cert.clone(), pem("NONSENSE"), "/key: the private key cannot be read"),
    ] {
        let domain = json!({ "name": "d", "patterns": ["a.example"], "cert": cert, "key": key });
        let error =
            gateway.apply(ChangeSet::new().put(resource(Domain, domain))).await.unwrap_err().to_string();
        assert!(error.contains("domain/default/d") && error.contains(reason), "{error}");
        assert!(!error.contains(&key), "no key in messages");
    }
    assert_eq!(gateway.gateway().handle().live().load().revision, 0);
}

/// An upstream that speaks TLS, and answers with what it learnt about the client.
async fn tls_upstream(authority: &Authority, name: &str, asks_for_certificate: bool) -> std::net::SocketAddr {
    let (cert, key) = authority.issue(name);
    let builder = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if asks_for_certificate {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
        let verifier =
            rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
    let config =
        builder.with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(tcp).await else { return };
                while stream.read(&mut [0; 16_384]).await.unwrap_or(0) > 0 {
                    let name = stream.get_ref().1.server_name().unwrap_or("-").to_owned();
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len());
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn upstreams_are_verified_unless_told_otherwise() {
    let authority = Authority::new();
    let address = tls_upstream(&authority, "db.example", false).await;
    let ask = async |tls: serde_json::Value| {
        let service =
            json!({ "name": "s", "urls": [format!("https://{address}")], "tls": tls, "retries": 0 });
        let gateway = TestGateway::start([
            resource(Service, service),
            resource(Route, json!({ "name": "r", "paths": ["/**"], "service": "s" })),
        ])
        .await;
        let answer = gateway.get("/").await;
        format!("{} {}", answer.status().as_u16(), answer.text().trim())
    };
    assert_eq!(ask(json!({})).await, "502 TLS handshake with upstream failed", "an unknown authority");
    assert_eq!(
        ask(json!({ "ca": authority.pem() })).await,
        "502 TLS handshake with upstream failed",
        "another name"
    );
    assert_eq!(ask(json!({ "ca": authority.pem(), "server_name": "db.example" })).await, "200 db.example");
    assert_eq!(ask(json!({ "skip_verify": true })).await, "200 -");
}

#[tokio::test]
async fn the_gateway_proves_itself_with_a_client_certificate() {
    let authority = Authority::new();
    let address = tls_upstream(&authority, "db.example", true).await;
    let (cert, key) = authority.issue("gateway.example");
    let service = |tls: serde_json::Value| json!({ "name": "s", "urls": [format!("https://{address}")], "tls": tls, "retries": 0 });
    let anonymous = json!({ "ca": authority.pem(), "server_name": "db.example" });
    let proven = json!({ "ca": authority.pem(), "server_name": "db.example", "cert": cert, "key": key });
    let gateway = TestGateway::start([
        resource(Service, service(anonymous)),
        resource(Route, json!({ "name": "r", "paths": ["/**"], "service": "s" })),
    ])
    .await;
    assert_eq!(gateway.get("/").await.status(), 502);
    gateway.apply(ChangeSet::new().put(resource(Service, service(proven)))).await.unwrap();
    assert_eq!(gateway.get("/").await.text(), "db.example");
}

/// An upstream over TLS that speaks what it is told to: answers HTTP/1.1 by hand, upgrades included, HTTP/2 by a library.
async fn choosing_upstream(
    authority: &Authority,
    protocols: Arc<std::sync::Mutex<Vec<&'static str>>>,
) -> std::net::SocketAddr {
    let (cert, key) = authority.issue("db.example");
    let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
    let config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let mut config = config.clone();
            config.alpn_protocols =
                protocols.lock().unwrap().iter().map(|name| name.as_bytes().to_vec()).collect();
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(tcp).await else { return };
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    let mut connection = h2::server::handshake(stream).await.unwrap();
                    while let Some(Ok((_, mut respond))) = connection.accept().await {
                        let response = http::Response::builder().header("x-spoke", "h2").body(()).unwrap();
                        respond.send_response(response, true).unwrap();
                    }
                    return;
                }
                let mut buffer = [0; 4_096];
                loop {
                    let read = stream.read(&mut buffer).await.unwrap_or(0);
                    if read == 0 {
                        return;
                    }
                    let answer: &[u8] = if buffer[..read].windows(9).any(|window| window == b"upgrade: ") {
                        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nhello"
                    } else {
                        b"HTTP/1.1 200 OK\r\nX-Spoke: http/1.1\r\nContent-Length: 0\r\n\r\n"
                    };
                    let _ = stream.write_all(answer).await;
                }
            });
        }
    });
    address
}

/// Upgrades need HTTP/1.1, whatever an upstream likes better; and an upstream may change its mind.
#[tokio::test]
async fn upstreams_choose_their_protocol_and_upgrades_work_all_the_same() {
    let authority = Authority::new();
    let protocols = Arc::new(std::sync::Mutex::new(vec!["http/1.1"]));
    let address = choosing_upstream(&authority, protocols.clone()).await;
    let service = json!({
        "name": "s",
        "urls": [format!("https://{address}")],
        "tls": { "ca": authority.pem(), "server_name": "db.example" },
        "retries": 0,
    });
    let mut settings = ProxySettings::default();
    settings.client.disable_keep_alives = true;
    let gateway = TestGateway::build(Gateway::builder().settings(settings).spec([
        resource(Service, service),
        resource(Route, json!({ "name": "r", "paths": ["/**"], "service": "s" })),
    ]))
    .await;
    for offer in [vec!["http/1.1"], vec!["h2", "http/1.1"], vec!["http/1.1"], vec!["h2", "http/1.1"]] {
        let expected = offer[0];
        *protocols.lock().unwrap() = offer;
        for _ in 0..2 {
            let answer = gateway.get("/").await;
            assert_eq!((answer.status().as_u16(), answer.header("x-spoke")), (200, expected));
        }
        let mut raw = gateway.raw().await;
        raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n").await;
        assert!(raw.read_until("hello").await.starts_with("HTTP/1.1 101 "), "{expected}");
    }
}

/// Who agrees on HTTP/2 and says nothing is not waited for.
#[tokio::test]
async fn clients_that_agree_on_http2_and_fall_silent_are_left() {
    let authority = Authority::new();
    let (cert, key) = authority.issue("a.example");
    let mut settings = ProxySettings::default();
    settings.fallback_certificate = Some(FallbackCertificate { cert, key });
    settings.limits.header_timeout = std::time::Duration::from_millis(200);
    let gateway = TestGateway::build_tls(Gateway::builder().settings(settings)).await;
    assert_eq!(https(&gateway, &authority, "a.example", &["h2"]).await.unwrap().1, "h2");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let mut config = rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = TcpStream::connect(gateway.address()).await.unwrap();
    let name = ServerName::try_from("a.example").unwrap();
    let mut stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
    let mut said = Vec::new();
    let ended = tokio::time::timeout(crate::PATIENCE, stream.read_to_end(&mut said)).await;
    assert!(ended.is_ok(), "the connection ends");
}
