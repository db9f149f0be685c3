//! Finds what modules import: other modules of the program, and native modules bound to whoever imports them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use boa_engine::module::{ModuleLoader, ModuleRequest, Referrer};
use boa_engine::{Context, JsNativeError, JsResult, Module};

use super::api;
use super::host::Host;
use crate::program::Target;

const ENTRY: &str = "dgate:entry/";

/// Finds modules.
#[derive(Default)]
pub(super) struct Loader {
    /// By place in the program.
    modules: RefCell<Vec<Module>>,
    /// By importer and name.
    native: RefCell<HashMap<(usize, String), Module>>,
}

impl Loader {
    pub(super) fn add(&self, module: Module) {
        self.modules.borrow_mut().push(module);
    }

    pub(super) fn module(&self, index: usize) -> Option<Module> {
        self.modules.borrow().get(index).cloned()
    }

    /// What the gateway's own modules import a module of the program as.
    pub(super) fn entry(index: usize) -> String {
        format!("{ENTRY}{index}")
    }

    fn find(&self, importer: Option<&Path>, specifier: &str, context: &mut Context) -> JsResult<Module> {
        let host = Host::of(context);
        let entry = specifier.strip_prefix(ENTRY).filter(|_| importer.is_none());
        if let Some(module) = entry.and_then(|index| self.module(index.parse().ok()?)) {
            return Ok(module);
        }
        // What stands at the top of a file was found when the module was stored; this is `import(…)`.
        let unknown = || {
            let message = format!(
                "`import()` finds nothing: write `import … from \"{specifier}\"` at the top of the file"
            );
            JsNativeError::typ().with_message(message)
        };
        let importer = importer
            .and_then(|path| host.program.modules.iter().position(|module| Path::new(&*module.file) == path))
            .ok_or_else(unknown)?;
        match host.program.modules[importer].link(specifier) {
            Some(Target::Module(index)) => Ok(self.module(index).ok_or_else(unknown)?),
            Some(Target::Native(name)) => {
                let key = (importer, name.to_owned());
                if let Some(known) = self.native.borrow().get(&key) {
                    return Ok(known.clone());
                }
                let module = api::native_module(name, importer, context)?;
                self.native.borrow_mut().insert(key, module.clone());
                Ok(module)
            }
            None => Err(unknown().into()),
        }
    }
}

impl ModuleLoader for Loader {
    async fn load_imported_module(
        self: Rc<Self>,
        referrer: Referrer,
        request: ModuleRequest,
        context: &RefCell<&mut Context>,
    ) -> JsResult<Module> {
        let specifier = request.specifier().to_std_string_lossy();
        self.find(referrer.path(), &specifier, &mut context.borrow_mut())
    }
}
