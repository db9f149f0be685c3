//! Calls that wait for what never comes.

use std::rc::Rc;

use crate::engine::Runtime;
use crate::engine::call::Call;
use crate::failure::{Failure, LimitKind};

impl Runtime {
    /// Whether nothing is left in the whole runtime that could settle what a call waits for.
    pub(super) fn never_comes(&self, call: &Rc<Call>) -> bool {
        self.host.operations.is_empty()
            && self.jobs.is_empty()
            && !self.host.settled.borrow().iter().any(|(settled, _)| Rc::ptr_eq(settled, call))
    }

    pub(super) fn forlorn(&self, call: &Call) -> Failure {
        let said = "the module waits for something that never comes";
        let mut failure = Failure::limit(LimitKind::Timeout, said);
        failure.module = self.module(call).map(|module| module.name.clone());
        failure
    }

    /// Ends calls that wait when nothing is left that they could wait for.
    pub(in crate::engine) fn give_up_what_never_comes(&self) {
        if !self.host.operations.is_empty() || self.calls.borrow().is_empty() {
            return;
        }
        let waiting: Vec<Rc<Call>> = self.calls.borrow().values().cloned().collect();
        for call in waiting.into_iter().filter(|call| self.never_comes(call)) {
            self.calls.borrow_mut().remove(&call.id);
            let result = Err(self.forlorn(&call));
            let done = self.end(&call, result);
            call.tell(done);
        }
    }
}
