//! What the examples have in common: somebody to ask.

use axum::Router;
use axum::extract::Request;
use tokio::net::TcpListener;

/// Starts an upstream that answers every request with what it saw, and returns its URL. It serves for as long as the
/// program runs.
///
/// # Errors
/// When no port is free.
pub async fn upstream() -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(tell)).await });
    Ok(url)
}

async fn tell(request: Request) -> String {
    let mut lines = vec![format!("{} {}", request.method(), request.uri())];
    let headers = request.headers().iter();
    lines.extend(headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or("?"))));
    lines.join("\n") + "\n"
}
