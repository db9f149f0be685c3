//! Where the access log goes.

use std::fs::{File, OpenOptions};
use std::io;

use dgate_core::units::Percent;
use dgate_proxy::edge;

use crate::config::{AccessLog, AccessLogFormat};

/// Opens the access log. One that is off can be turned on later.
///
/// # Errors
/// When the file cannot be opened.
pub(crate) fn open(wanted: &AccessLog) -> io::Result<edge::AccessLog> {
    let log = match file(wanted)? {
        Some(file) => edge::AccessLog::new(file, edge::AccessLogFormat::Json)?,
        None => edge::AccessLog::new(io::stdout(), edge::AccessLogFormat::Json)?,
    };
    tune(&log, wanted);
    Ok(log)
}

/// What a log is to become: everything that can fail is done.
#[derive(Debug)]
pub(crate) struct Reopened<'w> {
    wanted: &'w AccessLog,
    file: Option<File>,
}

/// Opens what a log is to go on with. Files are opened anew in any case: the old one may have been renamed.
///
/// # Errors
/// When the file cannot be opened; the log goes on as before then.
pub(crate) fn reopened(wanted: &AccessLog) -> io::Result<Reopened<'_>> {
    Ok(Reopened { wanted, file: file(wanted)? })
}

impl Reopened<'_> {
    /// Lets the log go on with it.
    pub(crate) fn take_over(self, log: &edge::AccessLog) {
        match self.file {
            Some(file) => log.reopen(file),
            None => log.reopen(io::stdout()),
        }
        tune(log, self.wanted);
    }
}

fn tune(log: &edge::AccessLog, wanted: &AccessLog) {
    let (format, sample) = match wanted.format {
        AccessLogFormat::Json => (edge::AccessLogFormat::Json, wanted.sample),
        AccessLogFormat::Common => (edge::AccessLogFormat::Common, wanted.sample),
        AccessLogFormat::Off => (edge::AccessLogFormat::Json, Percent::whole(0)),
    };
    log.set_format(format);
    log.set_sample(sample);
}

/// The file to append to, if it is a file.
fn file(wanted: &AccessLog) -> io::Result<Option<File>> {
    let Some(path) = wanted.path.as_ref().filter(|_| wanted.format != AccessLogFormat::Off) else {
        return Ok(None);
    };
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.map(Some).map_err(|error| {
        io::Error::new(error.kind(), format!("the access log {path} cannot be opened: {error}"))
    })
}
