//! What can be said of resources without a server.

use dgate_core::apply::resource_set;
use dgate_core::resource::AnyResource;
use dgate_core::tags::ServerTags;
use dgate_core::{Problem, Severity, compile, decode, with_kind};

use super::source::Wishes;
use crate::failure::Detail;

/// Everything that is wrong with resources, taken as the whole configuration, and everything worth a warning.
pub(super) fn check(wishes: &Wishes) -> (Vec<Detail>, Vec<Detail>) {
    let mut found: Vec<(Detail, Severity)> = Vec::new();
    let mut resources: Vec<AnyResource> = Vec::new();
    for (index, wish) in wishes.resources.iter().enumerate() {
        let decoded = with_kind!(wish.kind, R => decode::<R>(wish.value.clone()).map(AnyResource::from));
        match decoded {
            Ok(resource) => resources.push(resource),
            Err(problems) => found.extend(problems.iter().map(|problem| {
                let detail = Detail::from(problem);
                let file = wishes.place(index, &detail.pointer, &detail.message);
                (Detail { file, resource: wishes.name(index), ..detail }, problem.severity)
            })),
        }
    }
    // What refers to something that could not be read would be said to refer to nothing.
    if found.is_empty() {
        let (Ok((_, problems)) | Err(problems)) =
            compile(&resource_set(resources), &ServerTags::default(), None);
        found.extend(problems.iter().map(|problem| (placed(problem, wishes), problem.severity)));
    }
    let (errors, warnings): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|(_, severity)| *severity == Severity::Error);
    let details = |found: Vec<(Detail, Severity)>| found.into_iter().map(|(detail, _)| detail).collect();
    (details(errors), details(warnings))
}

fn placed(problem: &Problem, wishes: &Wishes) -> Detail {
    let detail = Detail::from(problem);
    let index = wishes.find(&detail.resource);
    let file = index.map(|index| wishes.place(index, &detail.pointer, &detail.message));
    Detail { file: file.unwrap_or_default(), ..detail }
}
