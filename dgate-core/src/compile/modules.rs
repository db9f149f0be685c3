//! Modules: what can be said about them without running them.

use base64::Engine as _;

use crate::decode::escape;
use crate::key::is_identifier;
use crate::permission::Permission;
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
        let at = format!("/permissions/{index}");
        match permission.parse::<Permission>() {
            Err(error) => {
                let message = error.to_string();
                problems.push(Problem::error(at, message).with_help_if(error.help));
            }
            Ok(_) if spec.permissions[..index].contains(permission) => {
                problems.push(Problem::error(at, format!("permission `{permission}` occurs twice")));
            }
            Ok(_) => {}
        }
    }
    for (name, time) in [("cpu", spec.limits.cpu), ("timeout", spec.limits.timeout)] {
        if time.is_some_and(|time| time.get().is_zero()) {
            let at = format!("/limits/{name}");
            problems.push(Problem::error(at, format!("`{name}` must be longer than zero")));
        }
    }
    for name in spec.env.keys() {
        if !is_identifier(name) {
            problems.push(
                Problem::error(
                    format!("/env/{}", escape(name)),
                    format!("`{name}` is no name of a variable"),
                )
                .with_help("it is made of letters, digits and `_`, and does not begin with a digit"),
            );
        }
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
