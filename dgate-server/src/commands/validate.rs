//! `dgate-server validate`.

use std::process::ExitCode;

use super::{is_colorful, say_what_is_wrong};
use crate::config::{self, FoundAt, LoadError, Loaded};
use crate::reload;
use dgate_proxy::Gateway;

/// Checks a configuration as far as that is possible without serving: what the file says, the files it names, its
/// resources and what the data plane makes of them.
pub(crate) fn validate(found: &FoundAt) -> ExitCode {
    let checked = config::load(found).and_then(check);
    match checked {
        Ok(loaded) => {
            anstream::eprint!("{}", config::render(&loaded.warnings, &loaded.source, is_colorful()));
            let count = loaded.config.proxy.init_resources.iter().count();
            anstream::eprintln!("{} is valid ({count} resources)", loaded.source.name);
            ExitCode::SUCCESS
        }
        Err(error) => say_what_is_wrong(&error),
    }
}

/// Gets a gateway ready for the resources, and adds its warnings.
fn check(mut loaded: Loaded) -> Result<Loaded, LoadError> {
    let problem = |loaded: &Loaded, text: String| {
        let problem = dgate_core::Problem::error("", text);
        LoadError { problems: problem.into(), source: Box::new(loaded.source.clone()) }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Err(problem(&loaded, error.to_string())),
    };
    let applied = runtime.block_on(async {
        let builder =
            Gateway::builder().settings(loaded.settings.clone()).environment(loaded.environment.clone());
        let gateway = builder.build().await?;
        reload::apply(gateway.handle(), &loaded, true).await
    });
    match applied {
        Ok(applied) => {
            loaded.warnings.extend(applied.warnings);
            Ok(loaded)
        }
        Err(dgate_core::apply::ApplyError::Invalid(problems)) => {
            Err(LoadError { problems, source: Box::new(loaded.source) })
        }
        Err(error) => Err(problem(&loaded, error.to_string())),
    }
}
