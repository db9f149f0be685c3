//! A module, tried with one request.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A request with which a module is tried.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunModule {
    /// The method.
    #[serde(default = "RunModule::get")]
    pub method: String,
    /// The path, with the query string if there is one.
    #[serde(default = "RunModule::root")]
    pub path: String,
    /// The pattern of the route that leads to the module: it says which path parameters there are.
    #[serde(default = "RunModule::everything")]
    pub pattern: String,
    /// The headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: String,
}

impl RunModule {
    fn get() -> String {
        "GET".to_owned()
    }

    fn root() -> String {
        "/".to_owned()
    }

    fn everything() -> String {
        "/**".to_owned()
    }
}

/// What came of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ModuleRan {
    /// The status of the answer.
    pub status: u16,
    /// The headers of the answer, name and value.
    pub headers: Vec<(String, String)>,
    /// The body of the answer, as far as it is text and not too long.
    pub body: String,
    /// Whether the body was too long to be told in full.
    pub truncated: bool,
    /// The hooks that ran, in order.
    pub hooks: Vec<HookRan>,
    /// What modules wrote to their consoles.
    pub console: Vec<ConsoleLine>,
    /// What modules tried and had no permission for, and how to grant it.
    pub denied: Vec<String>,
    /// What went wrong, with places in the modules' own source.
    pub failures: Vec<HookFailed>,
    /// Where the request would have gone; absent when a module answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
}

/// A hook that ran.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HookRan {
    /// Which one.
    pub hook: String,
    /// How long it took, with waiting, in milliseconds.
    pub took_ms: f64,
}

/// A line that a module wrote to its console.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConsoleLine {
    /// How important it is: `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// Which module wrote it.
    pub module: String,
    /// In which hook.
    pub hook: String,
    /// What it wrote.
    pub text: String,
}

/// What went wrong in a hook.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HookFailed {
    /// In which one.
    pub hook: String,
    /// What kind of failure it is: `threw`, `denied`, `cpu`, `timeout`, `recursion`.
    pub kind: String,
    /// What the module or the gateway says.
    pub message: String,
    /// Whose fault it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Where in the module's own source: `file:line:column`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Where it came from, innermost first.
    pub trace: Vec<String>,
}
