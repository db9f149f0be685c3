//! `modules.limits`: each key has its effect.

use crate::running::{Directory, Running, output, program};

/// A server with such limits, whose module does what the query says.
fn configuration(limits: &str, own: &str) -> String {
    format!(
        "version: v1
proxy:
  host: 127.0.0.1
  port: 0
  init_resources:
    modules:
      - name: m
        limits: {own}
        payload_raw: |
          import {{ sleep }} from 'dgate';
          export async function requestHandler(ctx) {{
            const act = {{
              cpu: () => {{ for (;;); }},
              timeout: () => sleep('1h'),
              body: () => ctx.response().write('x'.repeat(2000)),
              recursion: () => {{ const f = (n) => n && 1 + f(n - 1); return f(100); }},
              string: () => 'x'.repeat(5000),
              sum: () => {{ let x = 'x'; for (let i = 0; i < 13; i++) x += x; }},
              parts: () => 'x,'.repeat(500).split(','),
              spread: () => [...new Array(5000)],
              range: () => {{ throw new RangeError('my own'); }},
              fraction: () => (1).toFixed(1000),
              list: () => new Array(500).fill(0),
              promises: () => {{ for (let i = 0; i < 200; i++) Promise.resolve().then(() => {{}}); }},
              operations: () => Promise.all([sleep(1), sleep(1), sleep(1)]),
            }}[ctx.pathParam('act')];
            try {{ await act(); ctx.response().status(200); }} catch (e) {{ ctx.response().status(400).send(e.name); }}
          }}
      - name: simple
        payload_raw: |
          export function requestHandler(ctx) {{
            const text = ctx.pathParam('text');
            ctx.response().send(`${{text}}${{text}}`);
          }}
    routes:
      - {{name: r, paths: ['/{{act}}'], modules: [m]}}
      - {{name: s, paths: ['/simple/{{text}}'], modules: [simple]}}
modules: {{limits: {limits}}}
admin: {{port: 0}}
access_log: {{format: off}}
log_format: json
storage: {{type: memory}}
"
    )
}

#[tokio::test]
async fn the_servers_limits_hold_for_all_modules() {
    let most = "{cpu: 30ms, timeout: 300ms, body: 1KiB, recursion: 50, string: 4096, list: 128, operations: 2, promises: 64}";
    let running = Running::start(&configuration(most, "{}")).await;
    for act in ["cpu", "timeout", "recursion", "promises"] {
        assert_eq!(running.get(&format!("/{act}")).await.status(), 500, "{act}");
        let count = format!("dgate_module_limit_hits_total{{namespace=\"default\",kind=\"{act}\"}}");
        assert_eq!(running.metric(&count).await, Some(1.0), "{act}");
    }
    // What a module is refused counts, too, if it is for its size.
    let counted = async |kind: &str| {
        let count = format!("dgate_module_limit_hits_total{{namespace=\"default\",kind=\"{kind}\"}}");
        running.metric(&count).await.unwrap_or_default() as u64
    };
    for (act, kind, hits) in [
        ("body", "body", 1),
        ("operations", "operations", 1),
        ("string", "string", 1),
        ("sum", "string", 2),
        ("list", "list", 1),
        ("parts", "list", 2),
        ("spread", "list", 3),
    ] {
        let answer = running.get(&format!("/{act}")).await;
        assert_eq!((answer.status().as_u16(), counted(kind).await), (400, hits), "{act}");
    }
    let simple = format!("/simple/{}", "x".repeat(3000));
    assert_eq!((running.get(&simple).await.status().as_u16(), counted("string").await), (500, 3));
    for act in ["range", "fraction"] {
        assert_eq!(running.get(&format!("/{act}")).await.text(), "RangeError");
    }
    for (kind, hits) in [("body", 1), ("operations", 1), ("string", 3), ("list", 3)] {
        assert_eq!(counted(kind).await, hits, "errors of other kinds are no hits: {kind}");
    }
    // By default all of that is allowed, but for what never ends.
    let running = Running::start(&configuration("{}", "{timeout: 300ms}")).await;
    for act in ["body", "recursion", "string", "list", "operations", "promises"] {
        assert_eq!(running.get(&format!("/{act}")).await.status(), 200, "{act}");
    }
}

#[test]
fn a_module_that_wants_too_much_is_refused() {
    let directory = Directory::new();
    let check = |limits: &str, own: &str| {
        directory.write("config.yaml", configuration(limits, own));
        let mut command = program();
        command.args(["--config", "config.yaml"]).current_dir(directory.path());
        String::from_utf8(output(&mut command).stderr).unwrap()
    };
    let most = "{max_cpu: 100ms, max_timeout: 30s, max_body: 2MiB}";
    let said = check(most, "{cpu: 101ms, timeout: 1m, body: 3MiB}");
    for part in [
        "`cpu` is 101ms, and no module of this server may have more than 100ms (`modules.limits.max_cpu`)",
        "`timeout` is 1m, and no module of this server may have more than 30s",
        "`body` is 3MiB, and no module of this server may have more than 2MiB",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = check(
        "{cpu: 0s, max_timeout: 1s, recursion: 5000, list: 0, operations: 0, string: 1, promises: 1}",
        "{}",
    );
    for part in [
        "`cpu` must be longer than zero",
        "`timeout` is more than `max_timeout`",
        "`recursion` must be between 32 and 4000",
        "`list` must be between",
        "`operations` must be between",
        "`string` must be between",
        "`promises` must be between",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
