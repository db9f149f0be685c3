//! A new project.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::ProjectError;

/// The types of everything that modules see.
pub const TYPES: &str = include_str!("../../types/dgate.d.ts");

const SETTINGS: &str = r#"{
  "compilerOptions": {
    "target": "ES2023",
    "module": "ES2022",
    "moduleResolution": "Bundler",
    "lib": ["ES2023"],
    "types": [],
    "strict": true,
    "noEmit": true,
    "isolatedModules": true
  },
  "include": ["*.ts"]
}
"#;

/// Writes a new module with its tests into a directory, which is made if it is not there; returns the files. Types and
/// settings of the compiler are shared by all modules of a directory, and left alone if they are there.
///
/// # Errors
/// When another file is there already (nothing is written then), or one cannot be written.
pub fn scaffold(directory: &Path, name: &str) -> Result<Vec<PathBuf>, ProjectError> {
    let own = [
        (format!("{name}.ts"), source()),
        (format!("{name}.test.ts"), tests(name)),
        (format!("{name}.yaml"), resources(name)),
    ];
    let shared =
        [("dgate.d.ts".to_owned(), TYPES.to_owned()), ("tsconfig.json".to_owned(), SETTINGS.to_owned())];
    let own = own.map(|(file, content)| (directory.join(file), content));
    if let Some((there, _)) = own.iter().find(|(path, _)| path.exists()) {
        return Err(ProjectError::Exists(there.clone()));
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ProjectError::Unwritable { path, source }
    };
    std::fs::create_dir_all(directory).map_err(failed(directory))?;
    let shared = shared.map(|(file, content)| (directory.join(file), content));
    let mut written = Vec::new();
    for (path, content) in own.into_iter().chain(shared.into_iter().filter(|(path, _)| !path.exists())) {
        let opened = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
        let mut opened = opened.map_err(failed(&path))?;
        opened.write_all(content.as_bytes()).map_err(failed(&path))?;
        written.push(path);
    }
    Ok(written)
}

fn source() -> String {
    r#"// Greets whoever is named in the path.
export function requestHandler(ctx: Context): void {
  const name = ctx.pathParam("name") ?? "world";
  ctx.response().json({ greeting: `Hello, ${name}!` });
}
"#
    .to_owned()
}

fn tests(name: &str) -> String {
    format!(
        r#"import {{ ctx, expect, test }} from "dgate/test";
import {{ requestHandler }} from "./{name}";

test("greets by name", () => {{
  const request = ctx({{ path: "/{name}/Ann", params: {{ name: "Ann" }} }});
  requestHandler(request);
  expect(request.result.status).toBe(200);
  expect(JSON.parse(request.result.body)).toEqual({{ greeting: "Hello, Ann!" }});
}});
"#
    )
}

fn resources(name: &str) -> String {
    format!(
        r#"# What belongs to the module, in the form of `init_resources`.
modules:
  - name: {name}
    payload_file: {name}.ts
    permissions: []
routes:
  - name: {name}
    paths: ["/{name}/{{name}}", "/{name}"]
    modules: [{name}]
"#
    )
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use bytes::Bytes;
    use dgate_core::resource::{Module, Route};
    use http::Request;

    use super::*;
    use crate::local::{LocalGateway, Network, Project};
    use crate::typescript::declared;

    /// What modules really see: members of objects and classes, and globals besides those of the language.
    const LOOK: &str = "
        const own = (object) => Object.getOwnPropertyNames(object).filter((name) => !name.startsWith('_'));
        const members = (object) => own(Object.getPrototypeOf(object)).filter((name) => name !== 'constructor');
        const fields = (object) => [...members(object), ...own(object)];
        const builtin = ['length', 'name', 'prototype', 'arguments', 'caller'];
        const statics = (type) => own(type).filter((name) => !builtin.includes(name)).map((name) => `static ${name}`);
        export function responseModifier(ctx) {
          const seen = {
            Context: members(ctx), GatewayRequest: members(ctx.request()), GatewayResponse: members(ctx.response()),
            UpstreamResponse: members(ctx.upstream()), Console: own(console),
            RouteInfo: Object.keys(ctx.route()), ServiceInfo: Object.keys(ctx.service()), NodeInfo: Object.keys(ctx.node()),
          };
          const message = ['bodyUsed', 'text', 'json', 'arrayBuffer', 'bytes'];
          const classes = {
            URL: members(new URL('http://a')), URLSearchParams: members(new URLSearchParams()), Headers: members(new Headers()),
            Request: [...members(new Request('http://a')), ...message], Response: [...members(new Response()), ...message],
            AbortController: fields(new AbortController()), AbortSignal: fields(AbortSignal.abort()), DOMException: members(new DOMException()),
            TextEncoder: members(new TextEncoder()), TextDecoder: members(new TextDecoder()), Buffer: members(Buffer.alloc(1)),
          };
          for (const [name, found] of Object.entries(classes)) seen[name] = [...found, ...statics(globalThis[name])];
          ctx.upstream().writeJson({ seen, globals: own(globalThis) });
        }";

    #[tokio::test]
    async fn the_types_are_those_of_what_modules_see() {
        let mut project = Project::empty();
        project.add(Module::new("look", LOOK));
        project.add(dgate_core::resource::Service::new("s", ["http://upstream.example"]));
        let mut route = Route::new("look", "/").to_service("s");
        route.modules = vec!["look".to_owned()];
        project.add(route);
        let gateway = LocalGateway::start(&project, Network::default()).await.unwrap();
        let reply = gateway.send(Request::get("/").body(Bytes::new()).unwrap()).await;
        assert!(reply.failures.is_empty(), "{:?}", reply.failures);
        let found: serde_json::Value = serde_json::from_slice(reply.response.body()).unwrap();
        let seen: BTreeMap<String, BTreeSet<String>> = serde_json::from_value(found["seen"].clone()).unwrap();
        let declared = declared::read(TYPES);
        for (name, seen) in seen {
            assert_eq!(declared.members.get(&name), Some(&seen), "{name}");
        }
        let globals: BTreeSet<String> = serde_json::from_value(found["globals"].clone()).unwrap();
        // These belong to each module, and are not among the globals.
        let per_module = ["console", "fetch", "process"];
        let declared = declared.globals.iter().filter(|name| !per_module.contains(&name.as_str()));
        let missing: Vec<_> = declared.filter(|name| !globals.contains(*name)).collect();
        assert!(missing.is_empty(), "declared, but not there: {missing:?}");
    }
}
