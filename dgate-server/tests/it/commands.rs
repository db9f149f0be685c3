//! Commands that look and tell.

use crate::running::{Directory, output, program};

fn run(directory: &Directory, arguments: &[&str]) -> (Option<i32>, String, String) {
    let ended = output(program().args(arguments).current_dir(directory.path()));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (ended.status.code(), text(ended.stdout), text(ended.stderr))
}

#[test]
fn validate_says_what_is_valid() {
    let directory = Directory::new();
    directory.write(
        "config.yaml",
        "proxy: {init_resources: {services: [{name: s, urls: ['http://a:1']}], routes: [{name: r, paths: [/x], service: s}]}}",
    );
    let (code, stdout, stderr) = run(&directory, &["validate", "-c", "config.yaml"]);
    assert_eq!((code, stdout.as_str()), (Some(0), ""));
    assert_eq!(stderr, "config.yaml is valid (2 resources)\n");
}

#[test]
fn validate_reads_certificates_and_modules_files() {
    let directory = Directory::new();
    directory.write("cert.pem", "no certificate");
    directory.write("key.pem", "no key");
    directory.write(
        "config.yaml",
        "proxy:\n  init_resources:\n    domains:\n    - name: d\n      patterns: [example.com]\n      cert_file: cert.pem\n      key_file: key.pem\n",
    );
    let (code, _, stderr) = run(&directory, &["validate", "-c", "config.yaml"]);
    assert_eq!(code, Some(78), "{stderr}");
    assert!(stderr.contains("domain/default/d: `cert` is not PEM"), "{stderr}");
    assert!(stderr.contains("config.yaml:6:18"), "where the file is named: {stderr}");
}

#[test]
fn a_missing_file_is_said() {
    let directory = Directory::new();
    for arguments in [&["-c", "nope.yaml"][..], &["validate", "-c", "nope.yaml"]] {
        let (code, _, stderr) = run(&directory, arguments);
        assert_eq!(code, Some(78));
        assert!(stderr.contains("nope.yaml") && stderr.contains("cannot be read"), "{stderr}");
    }
}

#[test]
fn config_print_shows_origins_and_no_secrets() {
    let directory = Directory::new();
    directory.write("token", "s3cret\n");
    directory.write(
        "config.yaml",
        "tags: ['${WHERE:-edge}']\nproxy:\n  port: 81\n  init_resources:\n    secrets: [{name: t, data: '${file:token}'}]\n",
    );
    let (code, stdout, _) = run(&directory, &["config", "print", "-c", "config.yaml", "--show-origin"]);
    assert_eq!(code, Some(0));
    let line = |start: &str| {
        stdout.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {stdout}"))
    };
    assert!(line("proxy.port: 81").ends_with("# config.yaml:3"));
    assert!(line("tags.0: \"edge\"").ends_with("# config.yaml:1 from ${WHERE:-edge}"));
    assert!(line("proxy.enable_http2: true").ends_with("# default"));
    assert!(line("proxy.init_resources.secrets.0.data: \"[redacted]\"").contains("from ${file:token}"));
    let (_, plain, _) = run(&directory, &["config", "print", "-c", "config.yaml"]);
    assert!(plain.contains("port: 81") && !plain.contains("s3cret") && !stdout.contains("s3cret"));
}

#[test]
fn what_is_printed_is_a_configuration() {
    let directory = Directory::new();
    directory.write(
        "config.yaml",
        "proxy: {port: 81, strict_mode: true, limits: {body: 1MiB}}\ntest_server: {}\n",
    );
    let (_, printed, _) = run(&directory, &["config", "print", "-c", "config.yaml"]);
    directory.write("again.yaml", &printed);
    let (code, again, stderr) = run(&directory, &["config", "print", "-c", "again.yaml"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(again, printed);
}

#[test]
fn the_schema_accepts_what_the_server_accepts() {
    let directory = Directory::new();
    let (code, schema, _) = run(&directory, &["schema"]);
    assert_eq!(code, Some(0));
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema["title"], "DGate configuration");
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good = serde_json::json!({
        "version": "v1",
        "proxy": {
            "port": 80,
            "limits": { "header_timeout": "10s", "body": "10MiB" },
            "init_resources": {
                "services": [{ "name": "s", "urls": ["http://a:1", { "url": "http://b:1", "weight": 2 }] }],
                "routes": [{ "name": "r", "paths": ["/x/**"], "methods": ["GET"], "service": "s" }],
            },
        },
        "access_log": { "format": "common", "sample": "1%" },
    });
    let errors: Vec<_> = validator.iter_errors(&good).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    for bad in [
        serde_json::json!({ "prxy": {} }),
        serde_json::json!({ "proxy": { "port": "eighty" } }),
        serde_json::json!({ "proxy": { "init_resources": { "routes": [{ "paths": ["/"] }] } } }),
    ] {
        assert!(!validator.is_valid(&bad), "{bad}");
    }
}

#[test]
fn usage_errors_are_their_own() {
    let directory = Directory::new();
    for (arguments, said) in [
        (&["nope"][..], "unrecognized subcommand 'nope'"),
        (&["dev", "-c", "x.yaml"], "`dev` reads no configuration file"),
        (&["dev", "--port", "0"], "0 is not in 1..=65535"),
        (&["config"], "Usage: dgate-server config"),
    ] {
        let (code, _, stderr) = run(&directory, arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
    let (code, stdout, _) = run(&directory, &["--version"]);
    assert_eq!((code, stdout.trim()), (Some(0), concat!("dgate-server ", env!("CARGO_PKG_VERSION"))));
}
