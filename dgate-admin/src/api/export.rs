//! Everything that is configured, in the form of a configuration file.
//!
//! The answer is built and sent piece by piece, each on a thread that may be busy for long: however much there is, and
//! however slowly it is read, others do not wait for it. Resources are those of one revision; documents are read page by
//! page meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use dgate_core::store::DocumentQuery;
use dgate_core::stored::{ResourceSet, Revision, StoredAny};
use dgate_core::{Key, Kind};
use futures_util::stream;
use http::StatusCode;
use http::header::ETAG;

use super::answer::respond;
use super::apart::apart;
use super::call::Call;
use super::endpoint::Reply;
use super::etag::etag;
use super::failure::Failure;
use super::state::State;
use crate::auth::Identity;

/// How many resources or documents are in one piece.
const PIECE: usize = 1_000;

/// `GET /export`
pub(crate) async fn export(call: Call) -> Reply {
    let namespace = call.query.get("namespace").map(str::to_owned);
    if let Some(namespace) = &namespace {
        call.check_namespace(&Key::new(Kind::Namespace, "", namespace.as_str()))?;
    }
    let owner = call.query.get("owner").map(str::to_owned);
    let with_documents = call.query.flag("documents")?;
    let live = call.state.live();
    let (resources, revision) = (live.resources.clone(), live.revision);
    // It may take long until all of it is read.
    drop(live);
    let (state, who) = (call.state, call.who);
    let begin = move || Export::new(state, &resources, &who, namespace.as_deref(), owner, revision);
    let mut export = apart(begin).await?;
    if !with_documents {
        export.collections.clear();
    }
    // What cannot be read is told as long as there is somebody to tell it to.
    let first = export.read_documents().await?;
    export.page = Some(first);
    let pieces = stream::try_unfold(export, Export::next);
    let mut response = respond(StatusCode::OK, "application/json", Body::from_stream(pieces));
    response.headers_mut().insert(ETAG, etag(revision));
    Ok(response)
}

/// What is still to be told.
struct Export {
    state: Arc<State>,
    owner: Option<String>,
    revision: Revision,
    /// Lists of resources in pieces, each with its kind, and whether its list begins with it.
    pieces: VecDeque<(Kind, bool, Vec<StoredAny>)>,
    /// Namespaces and names of collections whose documents are wanted; those of the first one are being read.
    collections: VecDeque<(Arc<str>, Arc<str>)>,
    /// The identifier of the last document that was read of it.
    after: Option<String>,
    /// Documents that were read ahead.
    page: Option<Vec<StoredAny>>,
    at: Place,
}

/// How much was told.
#[derive(Clone, Copy)]
enum Place {
    Nothing,
    Lists { is_open: bool },
    Documents,
    Everything,
}

impl Export {
    fn new(
        state: Arc<State>,
        resources: &ResourceSet,
        who: &Identity,
        namespace: Option<&str>,
        owner: Option<String>,
        revision: Revision,
    ) -> Self {
        let is_wanted = |name: &str| who.may_see(name) && namespace.is_none_or(|wanted| *wanted == *name);
        let wanted: Vec<_> = resources.namespaces().filter(|(name, ..)| is_wanted(name)).collect();
        let (mut pieces, mut collections) = (VecDeque::new(), VecDeque::new());
        for kind in Kind::ALL {
            let of_kind = wanted.iter().flat_map(|(_, stored, tables)| match kind {
                Kind::Namespace => vec![stored.erase()],
                kind => tables.of_kind(kind),
            });
            let list: Vec<_> = of_kind.filter(|stored| is_shown(stored, owner.as_deref())).collect();
            let of_list = list.chunks(PIECE).enumerate();
            pieces.extend(of_list.map(|(number, piece)| (kind, number == 0, piece.to_vec())));
        }
        for (name, _, tables) in wanted {
            collections
                .extend(tables.collections.iter().map(|(collection, _)| (name.clone(), collection.clone())));
        }
        Self { state, owner, revision, pieces, collections, after: None, page: None, at: Place::Nothing }
    }

    /// The next documents; none when there are no more.
    async fn read_documents(&mut self) -> Result<Vec<StoredAny>, Failure> {
        while let Some((namespace, collection)) = self.collections.front().cloned() {
            let query = DocumentQuery {
                namespace,
                collection,
                prefix: String::new(),
                after: self.after.take(),
                limit: PIECE,
            };
            let page = self.state.context.store.documents(query).await?;
            self.after = page.last().map(|document| document.spec.id.clone());
            if page.len() < PIECE {
                self.collections.pop_front();
                self.after = None;
            }
            let shown = page.iter().map(|document| document.erase());
            let shown: Vec<_> = shown.filter(|stored| is_shown(stored, self.owner.as_deref())).collect();
            if !shown.is_empty() {
                return Ok(shown);
            }
        }
        Ok(Vec::new())
    }

    /// The next piece of the answer.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, axum::Error> {
        let mut text = Vec::new();
        match self.at {
            Place::Nothing => {
                text.extend_from_slice(b"{\"success\":true,\"data\":{\"version\":\"v1\"");
                self.at = Place::Lists { is_open: false };
            }
            Place::Lists { is_open } => {
                if let Some((kind, begins, piece)) = self.pieces.pop_front() {
                    if begins {
                        text.extend_from_slice(if is_open { b"]," } else { b"," });
                        text.extend_from_slice(format!("\"{}\":[", kind.plural()).as_bytes());
                    }
                    self.at = Place::Lists { is_open: true };
                    let text = self.write(text, piece, begins).await?;
                    return Ok(Some((text.into(), self)));
                }
                text.extend_from_slice(if is_open { b"]" } else { b"" });
                let page = self.page.take().unwrap_or_default();
                if page.is_empty() {
                    text.extend_from_slice(format!("}},\"revision\":{}}}", self.revision).as_bytes());
                    self.at = Place::Everything;
                } else {
                    text.extend_from_slice(b",\"documents\":[");
                    text = self.write(text, page, true).await?;
                    self.at = Place::Documents;
                }
            }
            Place::Documents => {
                let page = self
                    .read_documents()
                    .await
                    .map_err(|failure| axum::Error::new(failure.detail().to_owned()))?;
                if page.is_empty() {
                    text.extend_from_slice(format!("]}},\"revision\":{}}}", self.revision).as_bytes());
                    self.at = Place::Everything;
                } else {
                    text = self.write(text, page, false).await?;
                }
            }
            Place::Everything => return Ok(None),
        }
        Ok(Some((text.into(), self)))
    }

    /// Adds items of a list, the first ones or others.
    async fn write(
        &self,
        mut text: Vec<u8>,
        items: Vec<StoredAny>,
        begins: bool,
    ) -> Result<Vec<u8>, axum::Error> {
        let state = self.state.clone();
        let written = apart(move || {
            for (number, stored) in items.iter().enumerate() {
                if !begins || number > 0 {
                    text.push(b',');
                }
                // A value is always written.
                let _ = serde_json::to_writer(&mut text, &state.show_spec(stored));
            }
            text
        });
        written.await.map_err(|failure| axum::Error::new(failure.detail().to_owned()))
    }
}

/// The namespace `default` is there without being stored.
fn is_shown(stored: &StoredAny, owner: Option<&str>) -> bool {
    stored.meta.revision > 0 && owner.is_none_or(|owner| stored.meta.owner.as_deref() == Some(owner))
}
