//! What modules reach when they run without a server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use dgate_core::address::is_private;
use dgate_core::capability::{Fetch, FetchError, FetchRules};
use dgate_core::{Body, BoxFuture};
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, Uri};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::client::tls;
use crate::context::Context;
use crate::failure::Failure;

/// A client with a connection for each request.
struct Client {
    tls: Arc<ClientConfig>,
}

/// What sends modules' requests.
///
/// # Errors
/// When the certificates to trust cannot be read.
pub(super) fn client(context: &Context) -> Result<Arc<dyn Fetch>, Failure> {
    let tls = tls::config(context.global.cacert.as_deref())?;
    Ok(Arc::new(Client { tls }))
}

impl Fetch for Client {
    fn fetch(
        &self,
        request: Request<Body>,
        rules: FetchRules,
    ) -> BoxFuture<'static, Result<Response<Body>, FetchError>> {
        let tls = self.tls.clone();
        Box::pin(async move {
            let sent = tokio::time::timeout(rules.timeout, send(request, rules, tls));
            sent.await.unwrap_or(Err(FetchError::Timeout(rules.timeout)))
        })
    }
}

async fn send(
    mut request: Request<Body>,
    rules: FetchRules,
    tls: Arc<ClientConfig>,
) -> Result<Response<Body>, FetchError> {
    let uri = request.uri().clone();
    let bad = || FetchError::BadUrl(format!("`{uri}` cannot be fetched"));
    let is_tls = uri.scheme_str() == Some("https");
    let authority = uri.authority().ok_or_else(bad)?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let header = HeaderValue::from_str(authority.as_str()).map_err(|_| bad())?;
    request.headers_mut().insert(HOST, header);
    let target = uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(target);

    let failed = |error: io::Error| FetchError::Failed(error.to_string());
    let found = tokio::net::lookup_host((host.as_str(), port)).await.map_err(failed)?;
    let addresses: Vec<SocketAddr> =
        found.filter(|address| rules.private_addresses || !is_private(address.ip())).collect();
    if addresses.is_empty() {
        return Err(FetchError::AddressRefused(host));
    }
    // Connects to the very addresses that were looked at.
    let stream = TcpStream::connect(&*addresses).await.map_err(failed)?;
    if is_tls {
        let name = ServerName::try_from(host).map_err(|_| bad())?;
        let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(failed)?;
        exchange(TokioIo::new(stream), request).await
    } else {
        exchange(TokioIo::new(stream), request).await
    }
}

async fn exchange<I>(io: I, request: Request<Body>) -> Result<Response<Body>, FetchError>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let failed = |error: hyper::Error| FetchError::Failed(error.to_string());
    let (mut sender, connection) = http1::handshake(io).await.map_err(failed)?;
    // What goes wrong with it is told by the request, too.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender.send_request(request).await.map_err(failed)?.map(Body::new))
}
