//! The one table of error kinds: status, stable code, words, blame.

use http::StatusCode;

use super::Blame;

/// A gRPC status code.
///
/// See the [gRPC status codes](https://grpc.io/docs/guides/status-codes/).
pub type GrpcStatus = u8;

macro_rules! error_kinds {
    ($($(#[doc = $doc:literal])* $kind:ident: $status:literal, $code:literal, $title:literal, $blame:ident, $grpc:literal;)*) => {
        /// What kind of error a request met.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[doc = $doc])* $kind,)*
        }

        impl ErrorKind {
            /// Every kind there is.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The HTTP status of the answer.
            pub fn status(self) -> StatusCode {
                let status: u16 = match self { $(Self::$kind => $status,)* };
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// The stable name, for programs: in answers, metrics and logs.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$kind => $code,)* }
            }

            /// The name for people.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)* }
            }

            /// Whose fault it usually is.
            pub const fn blame(self) -> Blame {
                match self { $(Self::$kind => Blame::$blame,)* }
            }

            /// The status for gRPC clients.
            pub const fn grpc_status(self) -> GrpcStatus {
                match self { $(Self::$kind => $grpc,)* }
            }
        }
    };
}

error_kinds! {
    /// The request can be read in more than one way, or not at all.
    BadRequest: 400, "bad_request", "Bad request", Client, 13;
    /// The client's address is not on the allow list.
    ClientNotAllowed: 403, "client_not_allowed", "Client not allowed", Client, 7;
    /// The host is none of the allowed domains.
    HostNotAllowed: 403, "host_not_allowed", "Host not allowed", Client, 7;
    /// The route does not allow upgrades.
    UpgradeNotAllowed: 403, "upgrade_not_allowed", "Upgrade not allowed", Client, 7;
    /// A module refused the request.
    Refused: 403, "refused", "Refused", Client, 7;
    /// No domain claims the host.
    NoNamespace: 404, "no_namespace", "No such host", Client, 12;
    /// No route matches the path.
    NoRoute: 404, "no_route", "No such route", Client, 12;
    /// Routes match the path, but not the method.
    MethodNotAllowed: 405, "method_not_allowed", "Method not allowed", Client, 12;
    /// The client took too long to send the request.
    RequestTimeout: 408, "request_timeout", "Request timeout", Client, 4;
    /// The request body is larger than allowed.
    BodyTooLarge: 413, "body_too_large", "Body too large", Client, 8;
    /// The request target is longer than allowed.
    UriTooLong: 414, "uri_too_long", "URI too long", Client, 8;
    /// The request head is larger than allowed.
    HeadersTooLarge: 431, "headers_too_large", "Header fields too large", Client, 8;
    /// The client went away before it was answered. Nobody sees this status but the log.
    ClientGone: 499, "client_gone", "Client closed the connection", Client, 1;
    /// A defect of the gateway.
    Internal: 500, "internal", "Internal error", Internal, 13;
    /// A module threw.
    ModuleError: 500, "module_error", "Module error", Module, 13;
    /// A module exceeded its limits.
    ModuleLimit: 500, "module_limit", "Module exceeded its limits", Module, 8;
    /// A module did what it has no permission for.
    ModuleDenied: 500, "module_denied", "Module was denied", Module, 13;
    /// The route has neither a service nor a module that answers.
    NoHandler: 501, "no_handler", "Nothing answers this route", Config, 12;
    /// The HTTP version is not supported.
    VersionNotSupported: 505, "version_not_supported", "HTTP version not supported", Client, 12;
    /// The service has no endpoint to send to.
    NoEndpoint: 502, "no_endpoint", "No endpoint available", Config, 14;
    /// No connection to the upstream could be made.
    UpstreamConnect: 502, "upstream_connect", "Upstream cannot be reached", Upstream, 14;
    /// The upstream refused the connection.
    UpstreamRefused: 502, "upstream_refused", "Upstream refused the connection", Upstream, 14;
    /// The TLS handshake with the upstream failed.
    UpstreamTls: 502, "upstream_tls", "TLS handshake with upstream failed", Upstream, 14;
    /// The upstream closed or reset the connection before it answered.
    UpstreamReset: 502, "upstream_reset", "Upstream closed the connection", Upstream, 14;
    /// The upstream's answer is not HTTP, or can be read in more than one way.
    UpstreamProtocol: 502, "upstream_protocol", "Upstream sent an invalid answer", Upstream, 13;
    /// The gateway has too much to do.
    Overloaded: 503, "overloaded", "Overloaded", Internal, 14;
    /// Too many requests wait for the upstream.
    UpstreamOverloaded: 503, "upstream_overloaded", "Upstream is overloaded", Upstream, 14;
    /// The gateway is stopping.
    Draining: 503, "draining", "Shutting down", Internal, 14;
    /// The upstream took too long to answer.
    UpstreamTimeout: 504, "upstream_timeout", "Upstream timeout", Upstream, 4;
}
