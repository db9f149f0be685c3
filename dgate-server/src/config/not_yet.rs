//! Keys that the format will have, and this version does not: said clearly, instead of "unknown field".

use dgate_core::{Problem, Problems};

const KEYS: [(&str, &str); 13] = [
    ("/telemetry", "traces are not exported by this version"),
    ("/proxy/http3", "HTTP/3 is not spoken by this version"),
    ("/storage/dir", "resources are kept in memory by this version"),
    ("/storage/endpoints", "resources are kept in memory by this version"),
    ("/storage/prefix", "resources are kept in memory by this version"),
    ("/storage/tls", "resources are kept in memory by this version"),
    ("/storage/username", "resources are kept in memory by this version"),
    ("/storage/password", "resources are kept in memory by this version"),
    ("/admin/auth_method", "the admin listener serves only probes and metrics in this version"),
    ("/admin/basic_auth", "the admin listener serves only probes and metrics in this version"),
    ("/admin/key_auth", "the admin listener serves only probes and metrics in this version"),
    ("/admin/jwt_auth", "the admin listener serves only probes and metrics in this version"),
    ("/admin/console", "the admin listener serves only probes and metrics in this version"),
];

/// Says of keys that will come that they have not come yet.
pub(super) fn explain(problems: Problems) -> Problems {
    problems
        .into_iter()
        .map(|problem| {
            if !problem.message.starts_with("unknown field") {
                return storage_type(problem);
            }
            match KEYS.iter().find(|(pointer, _)| problem.pointer == *pointer) {
                Some((_, reason)) => Problem {
                    message: (*reason).to_owned(),
                    help: Some("remove the key".to_owned()),
                    ..problem
                },
                None => problem,
            }
        })
        .collect()
}

fn storage_type(problem: Problem) -> Problem {
    if problem.pointer != "/storage/type" {
        return problem;
    }
    Problem { help: Some("this version keeps resources in memory only: `memory`".to_owned()), ..problem }
}
