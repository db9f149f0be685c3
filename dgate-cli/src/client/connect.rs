//! Connections to the Admin API.

use std::io;
use std::sync::Arc;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::address::Address;

/// What requests carry.
pub(super) type RequestBody = http_body_util::Full<bytes::Bytes>;

/// Opens a connection, over TLS if the address says so. It is driven in a task of its own until nobody uses it.
pub(super) async fn connect(
    address: &Address,
    tls: Option<&Arc<ClientConfig>>,
) -> io::Result<SendRequest<RequestBody>> {
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
    stream.set_nodelay(true)?;
    match tls.filter(|_| address.is_tls) {
        Some(tls) => {
            let name = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
            let stream = TlsConnector::from(tls.clone()).connect(name, stream).await?;
            speak(TokioIo::new(stream)).await
        }
        None => speak(TokioIo::new(stream)).await,
    }
}

async fn speak<I>(io: I) -> io::Result<SendRequest<RequestBody>>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(io).await.map_err(io::Error::other)?;
    // What goes wrong with it is told by the request, too.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}
