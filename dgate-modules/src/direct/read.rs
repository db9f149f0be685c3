//! What a hook reads of a request.

use dgate_core::Body;
use dgate_core::resource::EnvValue;

use super::code::Read;
use super::run::{Outcome, Run, throw};
use super::scene::{Seen, not_at_hand};
use super::text;
use super::value::Value;
use crate::message;
use crate::thrown::Thrown;

impl<'c> Run<'c, '_, '_> {
    /// Something of the request.
    pub(super) fn read(&mut self, read: &Read) -> Outcome<Value<'c>> {
        let info = self.scene.info;
        let owned = |text: &str| Value::text(text.to_owned());
        Ok(match read {
            Read::Id => Value::text(text::of_latin1(info.id.as_header().as_bytes())),
            Read::Namespace => owned(&info.matched.namespace.name),
            Read::Route => owned(&info.matched.route.spec.spec.name),
            Read::Service { optional, place } => match self.service() {
                Some(name) => owned(name),
                None if *optional => Value::Undefined,
                None => {
                    return throw(*place, Thrown::typ("cannot convert 'null' or 'undefined' to object"));
                }
            },
            Read::Env(name) => self.env(name),
            Read::NodeId => owned(&self.scene.capabilities.node.id),
            Read::NodeVersion => Value::text(env!("CARGO_PKG_VERSION")),
            Read::Method => owned(self.method()?.as_str()),
            Read::FetchUrl => return self.fetch_url(),
            Read::FetchMethod => return self.fetch_method(),
            Read::Path => owned(self.scene.request()?.1.path()),
            Read::Url => {
                let (headers, uri) = self.scene.request()?;
                Value::text(message::url(info.client.tls, headers, uri))
            }
            Read::Host => {
                let (headers, uri) = self.scene.request()?;
                owned(message::host(headers, uri))
            }
            Read::RequestProtocol => Value::text(message::protocol(match &self.scene.request {
                Seen::Open(request) => request.version(),
                Seen::Gone(head) => head.version,
                Seen::Nothing => return Err(not_at_hand().into()),
            })),
            Read::RemoteAddress => Value::text(info.client.ip.to_string()),
            Read::RequestLength => match &self.scene.request {
                Seen::Open(request) => {
                    message::request_length(request.headers(), request.body(), false).into()
                }
                Seen::Gone(head) => message::request_length(&head.headers, &Body::empty(), true).into(),
                Seen::Nothing => return Err(not_at_hand().into()),
            },
            Read::HeadersSent => self.scene.draft_so_far().is_some_and(|draft| draft.ended).into(),
            Read::StatusCode => f64::from(self.scene.upstream()?.status().as_u16()).into(),
            Read::StatusText => {
                Value::text(self.scene.upstream()?.status().canonical_reason().unwrap_or_default())
            }
            Read::UpstreamProtocol => Value::text(message::protocol(self.scene.upstream()?.version())),
            Read::UpstreamLength => message::response_length(self.scene.upstream()?).into(),
            Read::ErrorName => Value::text("GatewayError"),
            Read::ErrorMessage => owned(self.scene.error.map_or("", |error| &error.message)),
            Read::ErrorCode => Value::text(self.scene.error.map_or("", |error| error.code)),
            Read::ErrorStatus => f64::from(self.scene.error.map_or(0, |error| error.status)).into(),
        })
    }

    fn service(&self) -> Option<&str> {
        let matched = &self.scene.info.matched;
        let name = matched.route.spec.spec.service.as_deref()?;
        matched.namespace.services().by_name(name).map(|service| service.spec.spec.name.as_str())
    }

    fn env(&self, wanted: &str) -> Value<'c> {
        let found = self.module.env.iter().find(|(name, _)| name == wanted);
        match found.map(|(_, value)| value) {
            None => Value::Undefined,
            Some(EnvValue::Text(text)) => Value::text(text.as_str()),
            Some(EnvValue::Secret(name)) => {
                let secrets = &self.scene.info.matched.namespace.resources.secrets;
                let secret = secrets.get(name).map(|secret| secret.spec.data.as_str().to_owned());
                secret.map_or(Value::Undefined, Value::text)
            }
        }
    }
}
