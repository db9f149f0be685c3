//! Keys that the format will have, and this version does not: said clearly, instead of "unknown field".

use dgate_core::{Problem, Problems};

const KEYS: [(&str, &str); 8] = [
    ("/telemetry", "traces are not exported by this version"),
    ("/proxy/http3", "HTTP/3 is not spoken by this version"),
    ("/storage/endpoints", "this version runs on one node and keeps resources in memory or in a file"),
    ("/storage/prefix", "this version runs on one node and keeps resources in memory or in a file"),
    ("/storage/tls", "this version runs on one node and keeps resources in memory or in a file"),
    ("/storage/username", "this version runs on one node and keeps resources in memory or in a file"),
    ("/storage/password", "this version runs on one node and keeps resources in memory or in a file"),
    ("/admin/console", "there is no console in this version"),
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
    Problem { help: Some("this version keeps resources in a `file` or in `memory`".to_owned()), ..problem }
}
