//! Walks the tree of a hook.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::arithmetic::{arithmetic, compare, same_value_zero};
use super::code::{Call, Function, Node, Statement};
use super::list::length_of;
use super::scene::Scene;
use super::text;
use super::value::Value;
use crate::bytes_text;
use crate::failure::{Failure, FailureKind, LimitKind};
use crate::metrics::count_limit;
use crate::program::ProgramModule;
use crate::thread_time::thread_time;
use crate::thrown::{ErrorClass, Thrown};
use crate::typescript::Place;

/// Why a call ends before its end.
pub(super) enum Stop {
    /// It throws; and where that came from, innermost first.
    Threw(Thrown, Vec<(Arc<str>, Place)>),
    /// It takes too long.
    Late,
    /// Only the engine can have what comes of this. Nothing was changed so far.
    NeedsEngine,
}

pub(super) type Outcome<T> = Result<T, Box<Stop>>;

impl From<Thrown> for Box<Stop> {
    fn from(thrown: Thrown) -> Self {
        Self::new(Stop::Threw(thrown, Vec::new()))
    }
}

/// So many bytes of text may be worked on until the clock is looked at.
const UNWATCHED: usize = 256 << 10;

/// How many times the longest text a call may work on in all, which bounds its memory, too.
const LONGEST_TEXTS: usize = 8;

/// A call that runs.
pub(super) struct Run<'c, 'r, 's> {
    pub(super) module: &'c ProgramModule,
    pub(super) scene: &'r mut Scene<'s>,
    began: Instant,
    /// What the thread's own clock said when it was first asked.
    asked: Option<Duration>,
    /// How many bytes of text were worked on.
    worked: usize,
    /// How many, or as much else, since the clock was looked at.
    unwatched: usize,
    /// The variables of the function that runs, after those of its callers.
    variables: Vec<Value<'c>>,
    /// Where its own begin.
    base: usize,
}

/// What comes after a statement.
pub(super) enum Flow<'c> {
    Next,
    Return(Value<'c>),
}

impl<'c, 'r, 's> Run<'c, 'r, 's> {
    pub(super) fn new(module: &'c ProgramModule, scene: &'r mut Scene<'s>, began: Instant) -> Self {
        Self { module, scene, began, asked: None, worked: 0, unwatched: 0, variables: Vec::new(), base: 0 }
    }

    /// Calls a hook. Nothing comes of it when it needs the engine after all.
    pub(super) fn call_hook(&mut self, hook: &'c Function) -> Option<Result<Value<'c>, Failure>> {
        match self.call(hook, Vec::new()) {
            Ok(value) => Some(Ok(value)),
            Err(stop) => self.failure(hook, *stop).map(Err),
        }
    }

    fn call(&mut self, function: &'c Function, arguments: Vec<Value<'c>>) -> Outcome<Value<'c>> {
        let base = std::mem::replace(&mut self.base, self.variables.len());
        self.variables.extend(arguments);
        self.variables.resize(self.base + function.slots, Value::Undefined);
        let flow = self.block(&function.body);
        self.variables.truncate(self.base);
        self.base = base;
        flow.map(|flow| match flow {
            Flow::Return(value) => value,
            Flow::Next => Value::Undefined,
        })
    }

    pub(super) fn block(&mut self, statements: &'c [Statement]) -> Outcome<Flow<'c>> {
        for statement in statements {
            match statement {
                Statement::Run(node) => drop(self.eval(node)?),
                Statement::If { test, then, otherwise } => {
                    let block = if self.eval(test)?.is_true() { then } else { otherwise };
                    match self.block(block)? {
                        Flow::Next => {}
                        flow @ Flow::Return(_) => return Ok(flow),
                    }
                }
                Statement::Return(node) => return self.eval(node).map(Flow::Return),
                Statement::Throw { class, message, place } => {
                    let message = self.eval_text(message)?.into_owned();
                    return throw(*place, Thrown::new(*class, message));
                }
            }
        }
        Ok(Flow::Next)
    }

    /// The value of an expression. What is done with a text takes as long as it is, so that each is charged for here.
    pub(super) fn eval(&mut self, node: &'c Node) -> Outcome<Value<'c>> {
        let value = self.compute(node)?;
        if let Value::Text(text) = &value {
            self.work(text.len())?;
        }
        Ok(value)
    }

    fn compute(&mut self, node: &'c Node) -> Outcome<Value<'c>> {
        Ok(match node {
            Node::Constant(constant) => constant.into(),
            Node::Slot(slot) => self.variable(*slot).clone(),
            Node::Assign(slot, value) => {
                let value = self.eval(value)?;
                self.assign(*slot, value.clone());
                value
            }
            Node::Template(parts, place) => {
                let mut whole = String::new();
                for part in parts {
                    whole.push_str(&self.eval_text(part)?);
                }
                self.made(whole, *place)?
            }
            Node::Add(sides, place) => {
                let (left, right) = self.both(sides)?;
                if matches!(left, Value::Text(_)) || matches!(right, Value::Text(_)) {
                    let mut whole = left.into_text().into_owned();
                    whole.push_str(&right.into_text());
                    self.made(whole, *place)?
                } else {
                    (left.to_number() + right.to_number()).into()
                }
            }
            Node::Arithmetic(operator, sides) => {
                let (left, right) = self.both(sides)?;
                let (left, right) = (left.to_number(), right.to_number());
                arithmetic(*operator, left, right).into()
            }
            Node::Compare(relation, sides) => {
                let (left, right) = self.both(sides)?;
                compare(*relation, &left, &right).into()
            }
            Node::Same(sides) => {
                let (left, right) = self.both(sides)?;
                (left == right).into()
            }
            Node::IsNullish(value) => self.eval(value)?.is_nullish().into(),
            Node::Not(value) => (!self.eval(value)?.is_true()).into(),
            Node::Negate(value) => (-self.eval(value)?.to_number()).into(),
            Node::ToNumber(value) => self.eval(value)?.to_number().into(),
            Node::TypeOf(value) => Value::text(self.eval(value)?.type_of()),
            Node::And(sides) => self.either(sides, |left| !left.is_true())?,
            Node::Or(sides) => self.either(sides, Value::is_true)?,
            Node::Coalesce(sides) => self.either(sides, |left| !left.is_nullish())?,
            Node::Default(sides) => self.either(sides, |left| *left != Value::Undefined)?,
            Node::Choose(parts) => {
                let [test, then, otherwise] = &**parts;
                let chosen = if self.eval(test)?.is_true() { then } else { otherwise };
                self.eval(chosen)?
            }
            Node::Then(both) => {
                let [first, second] = &**both;
                self.eval(first)?;
                self.eval(second)?
            }
            Node::ToText(value) => Value::Text(self.eval_text(value)?),
            Node::Math(function, arguments) => {
                let mut numbers = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    numbers.push(self.eval(argument)?.to_number());
                }
                function.of(&numbers).into()
            }
            Node::Now => now().into(),
            Node::Encode(value, place) => {
                let value = self.eval_text(value)?;
                // As many as the engine takes of what may become nine times as long.
                let most = self.scene.capabilities.limits.string as f64 * 4.0 / 9.0;
                if text::length(&value) as f64 > most {
                    return throw(*place, too_large(most));
                }
                self.made(text::encode(&value), *place)?
            }
            Node::Json(json, place) => match self.json(json, *place)? {
                Some(json) => Value::text(String::from_utf8_lossy(&json).into_owned()),
                None => Value::Undefined,
            },
            Node::OneOf(list, value) => {
                let value = self.eval(value)?;
                self.work(list.len())?;
                list.iter().any(|known| same_value_zero(&known.into(), &value)).into()
            }
            Node::List(elements) => {
                let list = elements.iter().map(|element| self.eval(element)).collect::<Outcome<Vec<_>>>()?;
                self.list_of(list)?
            }
            Node::ConstantList(constants) => self.list_of(constants.iter().map(Value::from).collect())?,
            Node::Element(list, index) => self.list(list)?.get(*index).cloned().unwrap_or(Value::Undefined),
            Node::Rest(list, from) => {
                let list = self.list(list)?;
                let rest = list.get(*from..).unwrap_or_default();
                self.spend(rest.iter().map(length_of).sum())?;
                self.list_of(rest.to_vec())?
            }
            Node::Index(both, place) => self.index(both, *place)?,
            Node::ListCall(call) => self.list_call(call)?,
            Node::Text(call) => self.text_call(call)?,
            Node::Call(call) => self.function_call(call)?,
            Node::FromBase64(text) => {
                let text = self.eval_text(text)?;
                let bytes =
                    text::to_latin1(&text).and_then(|bytes| bytes_text::forgiving(bytes.into_owned()));
                Value::text(text::of_latin1(&bytes.ok_or(Stop::NeedsEngine)?))
            }
            Node::ToBase64(text) => {
                let text = self.eval_text(text)?;
                Value::text(bytes_text::base64(&text::to_latin1(&text).ok_or(Stop::NeedsEngine)?))
            }
            Node::Native(call, place) => placed(self.native(call), *place)?,
            Node::Digest(digest) => self.digest(digest)?,
            Node::MakeUrl(made, place) => placed(self.made_url(made), *place)?,
            Node::UrlPart(slot, part) => self.url_part(*slot, *part),
            Node::Read(read) => self.read(read)?,
            Node::Operation(operation, place) => placed(self.operate(operation, *place), *place)?,
        })
    }

    /// The value of an expression as text.
    pub(super) fn eval_text(&mut self, node: &'c Node) -> Outcome<Cow<'c, str>> {
        Ok(self.eval(node)?.into_text())
    }

    pub(super) fn variable(&self, slot: usize) -> &Value<'c> {
        &self.variables[self.base + slot]
    }

    pub(super) fn assign(&mut self, slot: usize, value: Value<'c>) {
        let slot = self.base + slot;
        self.variables[slot] = value;
    }

    fn both(&mut self, sides: &'c [Node; 2]) -> Outcome<(Value<'c>, Value<'c>)> {
        Ok((self.eval(&sides[0])?, self.eval(&sides[1])?))
    }

    fn either(&mut self, sides: &'c [Node; 2], is_enough: fn(&Value<'c>) -> bool) -> Outcome<Value<'c>> {
        let left = self.eval(&sides[0])?;
        if is_enough(&left) { Ok(left) } else { self.eval(&sides[1]) }
    }

    fn function_call(&mut self, call: &'c Call) -> Outcome<Value<'c>> {
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(self.eval(argument)?);
        }
        self.call(&call.function, arguments).map_err(|mut stop| {
            if let Stop::Threw(_, trace) = &mut *stop
                && let Some(last) = trace.last_mut()
            {
                // So far it was known where, but not in which function.
                last.0 = call.function.name.clone();
                trace.push((Arc::default(), call.place));
            }
            stop
        })
    }

    /// A text that was put together, if it is not too long.
    pub(super) fn made(&mut self, text: String, place: Place) -> Outcome<Value<'c>> {
        self.fits(&text, place)?;
        Ok(Value::text(text))
    }

    /// Whether a text may be that long.
    pub(super) fn fits(&self, text: &str, place: Place) -> Outcome<()> {
        let most = self.scene.capabilities.limits.string;
        if text.len() > most && text::length(text) > most {
            return throw(place, too_large(most as f64));
        }
        Ok(())
    }

    /// So many bytes of text are worked on.
    pub(super) fn work(&mut self, bytes: usize) -> Outcome<()> {
        self.worked += bytes;
        if self.worked / LONGEST_TEXTS > self.scene.capabilities.limits.string {
            return Err(Box::new(Stop::Late));
        }
        self.spend(bytes)
    }

    /// What is done takes as long as so many bytes of text: now and then the clock is looked at.
    pub(super) fn spend(&mut self, bytes: usize) -> Outcome<()> {
        self.unwatched += bytes;
        if self.unwatched <= UNWATCHED {
            return Ok(());
        }
        self.unwatched = 0;
        let limit = self.module.limits.cpu;
        if self.began.elapsed() > limit && self.computed() > limit {
            return Err(Box::new(Stop::Late));
        }
        Ok(())
    }

    /// How long the call has computed, as the thread's own clock tells: from when that is first asked, which is when the
    /// time that passed would be too long. Others may have had the processor.
    fn computed(&mut self) -> Duration {
        let Some(now) = thread_time() else { return self.began.elapsed() };
        now.saturating_sub(*self.asked.get_or_insert(now))
    }

    fn failure(&self, hook: &Function, stop: Stop) -> Option<Failure> {
        let mut failure = match stop {
            Stop::NeedsEngine => return None,
            Stop::Threw(thrown, mut trace) => {
                if let Some(last) = trace.last_mut() {
                    last.0 = hook.name.clone();
                }
                let message = match thrown.class {
                    ErrorClass::Error => thrown.message,
                    class => format!("{}: {}", class.name(), thrown.message),
                };
                // Nothing catches it.
                if let Some(kind) = thrown.limit {
                    count_limit(&self.module.key.namespace, kind);
                }
                let mut failure = Failure::new(FailureKind::Threw, message);
                let file = &self.module.file;
                failure.place = trace.first().map(|(_, place)| format!("{file}:{place}"));
                failure.trace =
                    trace.iter().map(|(name, place)| format!("{name} ({file}:{place})")).collect();
                failure
            }
            Stop::Late => {
                let limit = self.module.limits.cpu;
                Failure::limit(LimitKind::Cpu, format!("the module computed for longer than {limit:?}"))
            }
        };
        failure.module = Some(self.module.name.clone());
        Some(failure)
    }
}

/// Throws, at a place.
pub(super) fn throw<T>(place: Place, thrown: Thrown) -> Outcome<T> {
    Err(Box::new(Stop::Threw(thrown, vec![(Arc::default(), place)])))
}

/// Says where something was thrown that could not say it itself.
pub(super) fn placed<T>(mut outcome: Outcome<T>, place: Place) -> Outcome<T> {
    if let Err(stop) = &mut outcome
        && let Stop::Threw(_, trace) = &mut **stop
        && trace.is_empty()
    {
        trace.push((Arc::default(), place));
    }
    outcome
}

/// Milliseconds since 1970.
fn now() -> f64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    now.as_millis() as f64
}

pub(super) fn too_large(most: f64) -> Thrown {
    Thrown::limit(LimitKind::String, format!("larger than modules may have it ({most})"))
}
