//! The engine's errors as failures that speak of the module's own source.

use boa_engine::{Context, JsError, JsNativeError, JsValue, js_string};

use super::host::Host;
use super::show::{shown, told};
use crate::failure::{Failure, FailureKind, LimitKind};
use crate::thrown::{ErrorClass, Thrown};

impl From<Thrown> for JsError {
    fn from(thrown: Thrown) -> Self {
        let error = match thrown.class {
            ErrorClass::Error => JsNativeError::error(),
            ErrorClass::Type => JsNativeError::typ(),
            ErrorClass::Range => JsNativeError::range(),
        };
        error.with_message(thrown.message).into()
    }
}

/// Whether it is an error of the engine that no module can catch.
pub(super) fn is_fatal(error: &JsError) -> bool {
    error.as_engine().is_some()
}

/// Remembers where the program stands when it is ended.
pub(super) fn remember(host: &Host, context: &Context) {
    let mut stood = host.hit_trace.borrow_mut();
    if stood.is_empty() {
        *stood = here(context);
    }
}

/// What went wrong, with places in the written source.
pub(super) fn failure(error: JsError, context: &mut Context) -> Failure {
    let host = Host::of(context);
    let mut trace = trace(&told(&error, context), &host);
    if is_fatal(&error) {
        // The engine forgets where what cannot be caught came from, after an `await`.
        let stood = host.hit_trace.take();
        if trace.is_empty() {
            trace = stood;
        }
        let text = error.to_string();
        let kind = match host.hit.take() {
            Some(kind) => kind,
            None if text.contains("recursive") || text.contains("stack") => LimitKind::Recursion,
            None => {
                let mut failure = Failure::new(FailureKind::Internal, first_line(&text));
                failure.trace = trace;
                return failure;
            }
        };
        let limit = host.current().map(|call| call.cpu_limit());
        let message = match (kind, limit) {
            (LimitKind::Cpu, Some(limit)) => format!("the module computed for longer than {limit:?}"),
            (LimitKind::Promises, _) => format!(
                "the module has more than {most} handlers of promises waiting (`await` has two, a function given to `then` is \
                 one); let it wait for some before it begins more, or raise `modules.limits.promises`",
                most = host.capabilities.limits.promises
            ),
            (LimitKind::Recursion, _) => "the module's calls are nested too deeply".to_owned(),
            _ => format!("the module exceeded its limit ({})", kind.name()),
        };
        return place(Failure::limit(kind, message), trace);
    }
    let failure = match error.as_opaque() {
        Some(value) => of_value(value, context),
        None => match error.into_opaque(context) {
            Ok(value) => of_value(&value, context),
            Err(error) => Failure::new(FailureKind::Internal, error.to_string()),
        },
    };
    if failure.place.is_some() { failure } else { place(failure, trace) }
}

/// What a promise was rejected with.
pub(super) fn of_value(value: &JsValue, context: &mut Context) -> Failure {
    let host = Host::of(context);
    let Some(object) = value.as_object() else {
        return Failure::new(FailureKind::Threw, format!("threw {}", shown(value, context)));
    };
    let mut text = |key| {
        let value = object.get(key, context).ok()?;
        Some(value.as_string()?.to_std_string_lossy())
    };
    let name = text(js_string!("name")).unwrap_or_else(|| "Error".to_owned());
    let message = text(js_string!("message"));
    let stack = text(js_string!("stack")).unwrap_or_default();
    let kind = match name.as_str() {
        "PermissionDenied" => FailureKind::Denied,
        "BodyTooLarge" => FailureKind::BodyTooLarge,
        "ClientGone" => FailureKind::ClientGone,
        _ => FailureKind::Threw,
    };
    let message = match message {
        Some(message) if name == "Error" => message,
        Some(message) => format!("{name}: {message}"),
        None => format!("threw {}", shown(value, context)),
    };
    place(Failure::new(kind, message), own_lines(&stack, &host))
}

/// The lines of a stack that are the program's, as they stand in `error.stack`.
fn own_lines(stack: &str, host: &Host) -> Vec<String> {
    let lines = stack.lines().filter_map(|line| line.strip_prefix("    at "));
    let is_own = |line: &&str| {
        let place = line.rsplit_once('(').map_or("", |(_, place)| place);
        host.program.modules.iter().any(|module| place.split(':').next() == Some(&*module.file))
    };
    lines.filter(is_own).map(str::to_owned).collect()
}

/// The lines of the engine's stack that are the program's, mapped back to what was written.
pub(super) fn mapped(stack: &str, context: &Context) -> Vec<String> {
    trace(stack, &Host::of(context))
}

fn place(mut failure: Failure, trace: Vec<String>) -> Failure {
    failure.place = trace.first().and_then(|line| {
        let (_, place) = line.rsplit_once('(')?;
        Some(place.trim_end_matches(')').to_owned())
    });
    failure.trace = trace;
    failure
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// How many lines tell enough of where the program stands.
const MOST_LINES: usize = 16;

/// Where the program stands, innermost first: lines of `name (file:line:column)`.
pub(super) fn here(context: &Context) -> Vec<String> {
    let host = Host::of(context);
    let mut lines = Vec::new();
    for frame in context.stack_trace() {
        let at = frame.position();
        let Some(position) = at.position else { continue };
        let (row, column) = (position.line_number(), position.column_number());
        if lines.len() == MOST_LINES {
            break;
        }
        lines.extend(line(&at.function_name.to_std_string_lossy(), &at.path.to_string(), row, column, &host));
    }
    lines
}

/// A line of a trace, mapped back to what was written; nothing when the place is none of the program's.
fn line(name: &str, file: &str, row: u32, column: u32, host: &Host) -> Option<String> {
    let module = host.program.modules.iter().find(|module| *module.file == *file)?;
    let at = module.compiled.positions.source(row, column)?;
    let name = if name.is_empty() || name == "<main>" { "module" } else { name };
    Some(format!("{name} ({file}:{at})"))
}

/// The lines of a stack that are the program's, mapped back to what was written.
fn trace(stack: &str, host: &Host) -> Vec<String> {
    let mut lines = Vec::new();
    for line in stack.lines() {
        let Some(line) = line.trim().strip_prefix("at ") else { continue };
        let Some((name, place)) = line.rsplit_once(" (") else { continue };
        let Some(place) = place.strip_suffix(')') else { continue };
        let mut parts = place.rsplitn(3, ':');
        let (Some(column), Some(row), Some(file)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let (Ok(row), Ok(column)) = (row.parse(), column.parse()) else { continue };
        lines.extend(self::line(name, file, row, column, host));
    }
    lines
}
