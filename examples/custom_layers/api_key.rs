//! Edge: who has no key gets no further.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use dgate_core::Body;
use futures_util::future::Either;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Request, Response, StatusCode};
use tower::{Layer, Service};

/// Answers 401 to requests without a known `x-api-key`, and tells everybody below whose key it was.
#[derive(Debug, Clone)]
pub(crate) struct ApiKeyLayer {
    /// Accounts by key.
    accounts: Arc<HashMap<HeaderValue, HeaderValue>>,
}

impl ApiKeyLayer {
    /// A layer that knows these keys and their accounts.
    pub(crate) fn new(accounts: impl IntoIterator<Item = (&'static str, &'static str)>) -> Self {
        let header = HeaderValue::from_static;
        let accounts = accounts.into_iter().map(|(key, account)| (header(key), header(account)));
        Self { accounts: Arc::new(accounts.collect()) }
    }
}

impl<S> Layer<S> for ApiKeyLayer {
    type Service = ApiKey<S>;

    fn layer(&self, inner: S) -> ApiKey<S> {
        ApiKey { inner, accounts: self.accounts.clone() }
    }
}

/// See [`ApiKeyLayer`].
#[derive(Debug, Clone)]
pub(crate) struct ApiKey<S> {
    inner: S,
    accounts: Arc<HashMap<HeaderValue, HeaderValue>>,
}

impl<S> Service<Request<Body>> for ApiKey<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The key is between the client and us. And nobody but us says whose it is.
        let headers = request.headers_mut();
        let key = headers.remove("x-api-key");
        match key.and_then(|key| self.accounts.get(&key)) {
            Some(account) => {
                headers.insert("x-account", account.clone());
                Either::Left(self.inner.call(request))
            }
            None => Either::Right(ready(Ok(unauthorized()))),
        }
    }
}

fn unauthorized() -> Response<Body> {
    let mut response = Response::new(Body::from("an API key is needed\n"));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("ApiKey"));
    response
}
