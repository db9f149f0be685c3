//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::commands;
use crate::config::{self, FoundAt};
use crate::dev::DevPorts;
use crate::process::{self, Source};

/// What the program answers when the configuration is wrong: `EX_CONFIG` of sysexits(3). A service manager should not
/// start it again then.
pub const EXIT_CONFIG: u8 = 78;

/// DGate: a programmable HTTP gateway that is reconfigured while it serves.
///
/// Without a command it serves what the configuration file says.
#[derive(Debug, Parser)]
#[command(name = "dgate-server", version, max_term_width = 100)]
struct Cli {
    /// The configuration file. Without it: $DGATE_CONFIG, config.dgate.{yaml,yml,toml,json}, dgate.yaml or
    /// /etc/dgate/config.yaml, whichever is found first; else safe defaults.
    #[arg(short, long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve with everything needed to try things: in memory, an echo upstream, a sample route at /hello.
    Dev(DevPorts),
    /// Check the configuration file and everything it names, and change nothing.
    Validate,
    /// Look at the configuration.
    Config(ConfigArgs),
    /// Print the JSON Schema of the configuration file, for editors.
    Schema,
    /// Print the hash of a password that is piped in, for `admin.basic_auth`.
    HashPassword,
    /// Ask a running server whether it is ready; the answer is the exit status (for containers).
    Healthcheck(Healthcheck),
}

#[derive(Debug, Args)]
struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the configuration in effect, with all defaults. Secrets are left out.
    Print {
        /// Say of each value where it comes from.
        #[arg(long)]
        show_origin: bool,
    },
}

#[derive(Debug, Args)]
struct Healthcheck {
    /// The admin listener to ask; by default the one of the configuration file.
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let found = || find(cli.config.clone());
    match cli.command {
        None => process::run(Source::File(found())),
        Some(Command::Dev(_)) if cli.config.is_some() => {
            anstream::eprintln!("error: `dev` reads no configuration file; leave out `--config`");
            ExitCode::from(2)
        }
        Some(Command::Dev(ports)) => process::run(Source::Dev(ports)),
        Some(Command::Validate) => commands::validate(&found()),
        Some(Command::Config(ConfigArgs { command: ConfigCommand::Print { show_origin } })) => {
            commands::print_config(&found(), show_origin)
        }
        Some(Command::HashPassword) => commands::hash_password(),
        Some(Command::Schema) => commands::print_schema(),
        Some(Command::Healthcheck(Healthcheck { address })) => {
            commands::healthcheck(address.as_deref(), &found())
        }
    }
}

fn find(flag: Option<PathBuf>) -> FoundAt {
    config::find(flag, |name| std::env::var_os(name))
}
