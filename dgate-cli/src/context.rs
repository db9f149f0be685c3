//! What every command is given.

use std::io::{self, BufRead, IsTerminal, Write};

use dgate_core::key::DEFAULT_NAMESPACE;

use crate::args::GlobalArgs;
use crate::client::{Answer, Client, Login, Settings, warnings};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// What every command is given: the global options, and what follows from them.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) global: GlobalArgs,
    pub(crate) output: Output,
}

impl Context {
    pub(crate) fn new(global: GlobalArgs) -> Self {
        let output = Output::new(global.output);
        Self { global, output }
    }

    /// A client of the Admin API. Asks for a password if one is needed and missing.
    ///
    /// # Errors
    /// When the options do not lead to one.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let settings = Settings {
            login: self.login()?,
            ca_file: self.global.cacert.clone(),
            follow: self.global.follow,
            timeout: self.global.timeout,
            verbose: self.global.verbose,
            output: self.output,
        };
        Client::new(&self.global.admin, settings)
    }

    /// The namespace that is meant where none is given.
    pub(crate) fn namespace(&self) -> &str {
        self.global.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE)
    }

    /// Whether somebody is there to be asked.
    fn can_ask(&self) -> bool {
        !self.global.no_input && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Goes on if somebody says yes.
    ///
    /// # Errors
    /// When the answer is no, or nobody can be asked.
    pub(crate) fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.global.yes {
            return Ok(());
        }
        if !self.can_ask() {
            let message = format!("{question} Nobody can be asked");
            return Err(Failure::usage(message).with_help("say `--yes` to go on without a question"));
        }
        let mut stderr = anstream::stderr().lock();
        let _ = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
        let mut answer = String::new();
        let _ = io::stdin().lock().read_line(&mut answer);
        if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Failure::new(Exit::Failed, "nothing was done"))
    }

    /// Says what an answer warns of.
    pub(crate) fn warn_of(&self, answer: &Answer) {
        warnings(answer).iter().for_each(|warning| self.output.warn(warning));
    }

    /// Refuses `-o` where there is only one form.
    ///
    /// # Errors
    /// When another format is asked for.
    pub(crate) fn no_format(&self, what: &str) -> Result<(), Failure> {
        match self.output.format {
            None => Ok(()),
            Some(_) => Err(Failure::usage(format!("`--output` makes no sense here: this is {what}"))),
        }
    }

    fn login(&self) -> Result<Login, Failure> {
        let global = &self.global;
        let ways = [global.auth.is_some(), global.api_key.is_some(), global.token.is_some()];
        if ways.into_iter().filter(|given| *given).count() > 1 {
            let message = "more than one of `--auth`, `--api-key` and `--token` is given";
            let help = "they may also come from DGATE_ADMIN_AUTH, DGATE_ADMIN_API_KEY and DGATE_ADMIN_TOKEN";
            return Err(Failure::usage(message).with_help(help));
        }
        if let Some(key) = &global.api_key {
            return Ok(Login::Key(key.clone()));
        }
        if let Some(token) = &global.token {
            return Ok(Login::Bearer(token.clone()));
        }
        let Some(auth) = &global.auth else { return Ok(Login::Nobody) };
        let (user, password) = match auth.split_once(':') {
            Some((user, password)) => (user.to_owned(), password.to_owned()),
            None => (auth.clone(), self.ask_password(auth)?),
        };
        Ok(Login::Basic { user, password })
    }

    fn ask_password(&self, user: &str) -> Result<String, Failure> {
        if !self.can_ask() {
            let message = format!("the password of `{user}` is missing, and nobody can be asked");
            return Err(Failure::usage(message).with_help("set DGATE_ADMIN_AUTH to `user:password`"));
        }
        let mut stderr = anstream::stderr().lock();
        let _ = write!(stderr, "Password of {user}: ").and_then(|()| stderr.flush());
        let password = rpassword::read_password();
        password.map_err(|error| Failure::new(Exit::Failed, format!("no password can be read: {error}")))
    }
}
