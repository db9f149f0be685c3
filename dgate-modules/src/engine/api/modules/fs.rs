//! `dgate/fs`: files to read.

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use boa_engine::{Context, JsNativeError, JsResult, JsValue};

use super::{Function, granted};
use crate::engine::api::body::{self, Form};
use crate::engine::host::Host;
use crate::engine::ops::{self, Outcome, named_error};
use crate::engine::values::{argument, optional_text, text};
use crate::permission::{Granted, Permissions, Wanted};

const PERMISSION: &str = "os:file:read";

pub(super) fn function(export: &str) -> Option<Function> {
    (export == "readFile").then_some(read_file as Function)
}

/// `readFile(path, as)`: a promise of its text; `as` may be `"buffer"`.
fn read_file(importer: usize, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let written = text(&argument(arguments, 0), context)?;
    let form = match optional_text(&argument(arguments, 1), context)?.as_deref() {
        None | Some("text") => Form::Text,
        Some("buffer") => Form::Buffer,
        Some(other) => {
            let message = format!("`{other}` is neither `text` nor `buffer`");
            return Err(JsNativeError::typ().with_message(message).into());
        }
    };
    let path = plain(&written)
        .ok_or_else(|| JsNativeError::typ().with_message(format!("`{written}` is no absolute path")))?;
    let granted = granted(importer, PERMISSION, path.to_str(), context)?;
    let host = Host::of(context);
    let permissions = host.program.modules[importer].permissions.clone();
    let limit = host.current().map_or(0, |call| call.limits().body);
    ops::promise(
        async move {
            let read = tokio::task::spawn_blocking(move || read(&path, granted, &permissions, limit)).await;
            Box::new(move |context: &mut Context| match read {
                Ok(Ok(bytes)) => body::convert(&bytes, form, context),
                Ok(Err(Refusal::Denied(message))) => Err(super::denied(&message, context)),
                Ok(Err(Refusal::Failed(message))) => Err(named_error("Error", &message, context)),
                Err(error) => Err(named_error("Error", &error.to_string(), context)),
            }) as Outcome
        },
        context,
    )
}

enum Refusal {
    Denied(String),
    Failed(String),
}

/// The same path without `.` and `..`; nothing when it is not absolute.
fn plain(written: &str) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in Path::new(written).components() {
        match component {
            Component::RootDir => plain.push("/"),
            Component::Normal(name) => plain.push(name),
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Path::new(written).is_absolute().then_some(plain)
}

/// A grant that names the file means it, wherever a link leads; one for all below a folder ends there.
fn read(path: &Path, granted: Granted, permissions: &Permissions, limit: usize) -> Result<Vec<u8>, Refusal> {
    let failed =
        |error: std::io::Error| Refusal::Failed(format!("{} cannot be read: {error}", path.display()));
    let real = path.canonicalize().map_err(failed)?;
    if !granted.by_name {
        let wanted = Wanted { name: PERMISSION, scope: real.to_str() };
        let _granted = permissions.check(&wanted).map_err(Refusal::Denied)?;
    }
    let file = std::fs::File::open(&real).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > limit {
        return Err(Refusal::Failed(format!(
            "{} is larger than the module may read ({limit} bytes)",
            path.display()
        )));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_plain() {
        let of = |written| plain(written).map(|path| path.display().to_string());
        assert_eq!(of("/a/./b/../c").as_deref(), Some("/a/c"));
        assert_eq!(of("/../../etc").as_deref(), Some("/etc"));
        assert_eq!(of("a/b"), None);
    }
}
