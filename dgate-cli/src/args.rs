//! The command line: what may be written.

mod flags;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser};

use crate::commands::{Command, resource};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Format, Output};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "dgate-cli", version, disable_version_flag = true, max_term_width = 100)]
#[command(about = "Drives a DGate gateway through its Admin API")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that stand before or after any command.
#[derive(Debug, Clone, Args)]
pub(crate) struct GlobalArgs {
    /// Where the Admin API is.
    #[arg(long, value_name = "URL", env = "DGATE_ADMIN_API", default_value = "http://localhost:9080")]
    #[arg(global = true, help_heading = "Connection")]
    pub(crate) admin: String,
    /// Log in with this name; without a password it is asked for.
    #[arg(short, long, value_name = "USER[:PASSWORD]", env = "DGATE_ADMIN_AUTH", hide_env_values = true)]
    #[arg(global = true, help_heading = "Connection")]
    pub(crate) auth: Option<String>,
    /// Log in with this key.
    #[arg(long, value_name = "KEY", env = "DGATE_ADMIN_API_KEY", hide_env_values = true)]
    #[arg(global = true, help_heading = "Connection")]
    pub(crate) api_key: Option<String>,
    /// Log in with this bearer token (JWT).
    #[arg(long, value_name = "TOKEN", env = "DGATE_ADMIN_TOKEN", hide_env_values = true)]
    #[arg(global = true, help_heading = "Connection")]
    pub(crate) token: Option<String>,
    /// Trust the certificates in this PEM file, besides the system's.
    #[arg(long, value_name = "FILE", env = "DGATE_CACERT", global = true, help_heading = "Connection")]
    pub(crate) cacert: Option<PathBuf>,
    /// Follow redirects. Stands before the command: after it, `-f` may mean a file.
    #[arg(short, long, env = "DGATE_FOLLOW_REDIRECTS", value_parser = clap::builder::FalseyValueParser::new())]
    #[arg(action = ArgAction::SetTrue, help_heading = "Connection")]
    pub(crate) follow: bool,
    /// How long to wait for an answer.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    #[arg(global = true, help_heading = "Connection")]
    pub(crate) timeout: Duration,
    /// The namespace that is meant where none is given.
    #[arg(short, long, value_name = "NAME", env = "DGATE_NAMESPACE", global = true)]
    pub(crate) namespace: Option<String>,
    /// How results are written: table, wide, json, yaml or name.
    #[arg(short, long, value_name = "FORMAT", value_enum, global = true, hide_possible_values = true)]
    pub(crate) output: Option<Format>,
    /// Say yes to every question.
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,
    /// Never ask; fail where a question would have to be asked.
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Say on standard error which requests are sent.
    #[arg(short = 'V', long, short_alias = 'v', global = true)]
    pub(crate) verbose: bool,
    /// Print the version of this program. See also `version`.
    #[arg(long, action = ArgAction::Version, value_parser = clap::value_parser!(bool))]
    version: Option<bool>,
}

impl Cli {
    /// Reads a command line, the program's name first.
    pub(crate) fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        let mut command = command();
        let flags::Words { words, doubtful } = flags::as_words(words.iter().cloned(), &command);
        let cli = Self::from_arg_matches(&command.try_get_matches_from_mut(words)?)?;
        for name in doubtful {
            let what = format!("`--{name}` is an option of this program; the field is set by `{name}=…`");
            Output::new(cli.global.output).warn(what);
        }
        Ok(cli)
    }
}

/// Says why a command line makes no sense, or what it asks for about the program itself.
pub(crate) fn refuse(error: &clap::Error, words: &[OsString]) -> ExitCode {
    if error.use_stderr() && asks_for_json(words) {
        let text = error.render().to_string();
        let text = text.trim().strip_prefix("error: ").unwrap_or(&text).to_owned();
        Output::new(Some(Format::Json)).fail(&Failure::usage(text));
        return Exit::Usage.into();
    }
    // Nobody is told when nobody listens.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Success.into() }
}

/// Whether results shall be JSON, in a command line that cannot be read.
fn asks_for_json(words: &[OsString]) -> bool {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let is_json = |at: usize| words.get(at).is_some_and(|word| *word == "json");
    words.iter().enumerate().any(|(at, word)| match &**word {
        "--output" | "-o" => is_json(at + 1),
        "--output=json" | "-ojson" | "-o=json" => true,
        _ => false,
    })
}

/// Reads a duration with a unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let duration = text.parse::<dgate_core::units::HumanDuration>().map_err(|error| error.to_string())?;
    Ok(duration.get())
}

/// The command line as `clap` knows it, with help texts that are made from the resources' schemas.
pub fn command() -> clap::Command {
    resource::with_field_help(Cli::command()).after_help(exit_statuses())
}

fn exit_statuses() -> String {
    let lines = Exit::MEANINGS.iter().map(|(exit, meaning)| format!("\n  {}  {meaning}", *exit as u8));
    format!("Exit status:{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Cli {
        Cli::try_parse_from([&["dgate-cli"], arguments].concat()).unwrap()
    }

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn short_flags_combine() {
        let cli = parse(&["-Vf", "version"]);
        assert!(cli.global.verbose && cli.global.follow);
        assert!(!parse(&["version"]).global.follow);
    }

    #[test]
    fn global_flags_stand_before_and_after_the_command() {
        for line in
            [["-n", "shop", "-o", "json", "version"].as_slice(), &["version", "-n", "shop", "-o", "json"]]
        {
            let cli = parse(line);
            assert_eq!(cli.global.namespace.as_deref(), Some("shop"));
            assert_eq!(cli.global.output, Some(Format::Json));
        }
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(parse(&["--timeout", "250ms", "version"]).global.timeout, Duration::from_millis(250));
        assert!(Cli::try_parse_from(["dgate-cli", "--timeout", "5", "version"]).is_err());
    }
}
