//! Modules: what can be said about them without running them.

use base64::Engine as _;

use crate::resource::Module;
use crate::{Problem, Problems};

pub(super) fn check(spec: &Module, problems: &mut Problems) {
    let given = [spec.payload.is_some(), spec.payload_raw.is_some(), spec.payload_file.is_some()];
    match given.into_iter().filter(|given| *given).count() {
        0 => problems.push(
            Problem::error("", "the module has no source")
                .with_help("set `payload` (base64), `payload_raw` (text) or `payload_file`"),
        ),
        1 => {}
        _ => problems
            .push(Problem::error("", "only one of `payload`, `payload_raw` and `payload_file` is possible")),
    }
    if spec.payload_file.is_some() {
        problems.push(
            Problem::error("/payload_file", "`payload_file` has not been read")
                .with_help("files are read by whoever reads the configuration; here, give the text itself"),
        );
    }
    if let Err(error) = spec.source() {
        problems.push(Problem::error("/payload", error));
    }
    for (index, permission) in spec.permissions.iter().enumerate() {
        let (name, scope) =
            permission.split_once('=').map_or((permission.as_str(), None), |(a, b)| (a, Some(b)));
        let words = name.split(':').all(|word| {
            word == "*"
                || (!word.is_empty()
                    && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'/')))
        });
        if !words || scope == Some("") {
            problems.push(
                Problem::error(format!("/permissions/{index}"), format!("`{permission}` is no permission"))
                    .with_help("write `name` or `name=scope`, such as `os:net:http=api.example.com`"),
            );
        }
    }
    if spec.limits.cpu.get().is_zero() || spec.limits.timeout.get().is_zero() {
        problems.push(Problem::error("/limits", "`cpu` and `timeout` must be longer than zero"));
    }
}

impl Module {
    /// The source text, wherever it stands.
    ///
    /// # Errors
    /// When `payload` is not base64 of UTF-8 text.
    pub fn source(&self) -> Result<String, String> {
        if let Some(raw) = &self.payload_raw {
            return Ok(raw.clone());
        }
        let packed: String =
            self.payload.iter().flat_map(|text| text.chars()).filter(|c| !c.is_whitespace()).collect();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(packed)
            .map_err(|error| format!("`payload` is not base64: {error}"))?;
        String::from_utf8(bytes).map_err(|_| "`payload` is not UTF-8 text".to_owned())
    }
}
