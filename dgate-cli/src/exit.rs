//! What the program's exit status says.

use std::process::ExitCode;

use http::StatusCode;

/// How a command ended. The numbers are part of the interface: scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done; or there is no difference.
    Success = 0,
    /// It was tried and did not work.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// There are differences, and `--exit-code` asked for this status.
    Differences = 3,
    /// Nobody is logged in, or may not do this.
    Denied = 4,
    /// Somebody else changed it, or something else refers to it.
    Conflict = 5,
    /// It is not there.
    NotFound = 6,
    /// What was written is not valid.
    Invalid = 7,
    /// Tests of a module failed.
    TestsFailed = 8,
    /// The server cannot be reached, or does not answer in time.
    Unreachable = 9,
}

impl Exit {
    /// All of them with what they mean, for help texts.
    pub(crate) const MEANINGS: &[(Self, &str)] = &[
        (Self::Success, "done, or no difference"),
        (Self::Failed, "it did not work"),
        (Self::Usage, "the command line makes no sense"),
        (Self::Differences, "there are differences (with --exit-code)"),
        (Self::Denied, "not logged in, or not allowed"),
        (Self::Conflict, "somebody else changed it, or something refers to it"),
        (Self::NotFound, "it is not there"),
        (Self::Invalid, "what was written is not valid"),
        (Self::TestsFailed, "tests of a module failed"),
        (Self::Unreachable, "the server cannot be reached"),
    ];

    /// What an answer of the Admin API with an error status means for a command.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Denied,
            StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => Self::Conflict,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE => {
                Self::Invalid
            }
            StatusCode::GATEWAY_TIMEOUT => Self::Unreachable,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_meaning_and_its_number() {
        for (number, (exit, _)) in (0_u8..).zip(Exit::MEANINGS) {
            assert_eq!(*exit as u8, number);
        }
        assert_eq!(Exit::MEANINGS.len(), 10);
    }

    #[test]
    fn answers_become_statuses() {
        for (status, exit) in [
            (401, Exit::Denied),
            (403, Exit::Denied),
            (404, Exit::NotFound),
            (409, Exit::Conflict),
            (412, Exit::Conflict),
            (422, Exit::Invalid),
            (500, Exit::Failed),
            (503, Exit::Failed),
        ] {
            assert_eq!(Exit::of_status(StatusCode::from_u16(status).unwrap()), exit, "{status}");
        }
    }
}
