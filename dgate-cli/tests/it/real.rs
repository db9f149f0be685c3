//! The program against a real server.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::gateway::{Gateway, at_a_terminal};
use crate::program::{ended, program};

#[test]
fn every_kind_has_every_verb() {
    let gateway = Gateway::start();
    gateway.write("m.ts", "export function requestHandler(ctx) {}\nexport function job() {}\n");
    gateway.write("schema.json", r#"{"type":"object"}"#);
    for (kind, alias, name, fields, change) in [
        ("namespace", "ns", "shop", "", "tags=team:a"),
        ("secret", "sec", "token", "data=hunter2", "data=hunter3"),
        ("module", "mod", "m", "payload@=m.ts", "permissions=os:env:read"),
        ("collection", "col", "users", "schema@=schema.json", "visibility=public"),
        ("document", "doc", "users/7", "data:={\"name\":\"a\"}", "data:={\"name\":\"b\"}"),
        ("service", "svc", "api", "urls=http://127.0.0.1:1,http://127.0.0.1:2 retries=1", "retries=3"),
        ("protocol", "protocol", "lines", "framing:={\"kind\":\"delimiter\",\"bytes\":\"0a\"}", "tags=x"),
        ("route", "rt", "r", "paths=/r/** service=api modules=m methods=get", "priority=5"),
        ("job", "job", "j", "module=m schedule=@hourly", "paused=true"),
        ("domain", "dom", "d", "patterns=*.shop.io", "priority=3"),
    ] {
        let namespace = if kind == "namespace" { "" } else { " -n shop" };
        let line = format!("{alias} mk {name} {fields}{namespace}").replace("  ", " ");
        let created = gateway.run(line.trim_end());
        assert_eq!(created.status, 0, "{line}: {}", created.stderr);
        assert!(created.stderr.contains(" created (revision "), "{line}: {}", created.stderr);
        let changed = gateway.run(&format!("{kind} set {name} {change}{namespace}"));
        assert!(changed.stderr.contains(" updated (revision "), "{kind}: {}", changed.stderr);
        let got = gateway.json(&format!("{kind} get {name}{namespace}"));
        let (field, value) = change.split_once('=').unwrap();
        if kind == "secret" {
            assert_eq!(got.get("data"), None, "{got}");
        } else {
            let shown = got[field.trim_end_matches(':')].to_string();
            assert!(shown.contains(value) || kind == "document", "{kind}: {shown}");
        }
        let of = if kind == "document" { " collection=users" } else { "" };
        let listed = gateway.json(&format!("{alias} ls{of}{namespace}"));
        assert!(!listed.as_array().unwrap().is_empty(), "{kind}");
        let names = gateway.done(&format!("{alias} ls{of}{namespace} -o name"));
        let expected =
            if kind == "namespace" { "namespace/shop".to_owned() } else { format!("{kind}/shop/{name}") };
        assert!(names.lines().any(|line| line == expected), "{expected}: {names}");
        assert!(gateway.done(&format!("{alias} ls{of}{namespace} -o wide")).contains("REVISION"), "{kind}");
    }
    for (kind, name) in [
        ("domain", "d"),
        ("job", "j"),
        ("route", "r"),
        ("protocol", "lines"),
        ("service", "api"),
        ("document", "users/7"),
        ("collection", "users"),
        ("module", "m"),
        ("secret", "token"),
    ] {
        let gone = gateway.run(&format!("{kind} rm {name} -n shop"));
        assert!(gone.stderr.contains(" deleted (revision "), "{kind}: {}", gone.stderr);
        gateway.fails(&format!("{kind} get {name} -n shop"), 6, "does not exist");
    }
    gateway.done("ns rm shop");
    gateway.fails("namespace get shop", 6, "does not exist");
}

#[test]
fn the_words_of_dgate_1_are_understood() {
    let gateway = Gateway::start();
    gateway.write("m.js", "export const requestHandler = () => {};\n");
    gateway.done("-Vf namespace create name=shop");
    gateway.done("service create name=api namespace=shop urls=http://127.0.0.1:1 retryTimeout=250ms");
    gateway.done("module create name=m namespace=shop payload@=m.js moduleType=javascript");
    gateway.done("route create name=r namespace=shop paths=/a methods=GET,POST service=api modules=m stripPath=true preserveHost:=true");
    assert_eq!(gateway.json("route get name=r namespace=shop")["strip_path"], true);
    assert_eq!(gateway.json("route list namespace=shop").as_array().unwrap().len(), 1);
    gateway.done("collection create name=users namespace=shop schema:={\"type\":\"object\"}");
    gateway.done("document create id=7 collection=users namespace=shop data:={\"a\":1}");
    assert_eq!(gateway.json("document get id=7 collection=users namespace=shop")["data"]["a"], 1);
    gateway.done("document delete id=7 collection=users namespace=shop");
    gateway.done("route delete name=r namespace=shop");
}

#[test]
fn failures_of_a_real_server_have_their_status() {
    let gateway = Gateway::start();
    gateway.done("svc mk api urls=http://127.0.0.1:1");
    gateway.done("rt mk r paths=/r service=api");
    gateway.fails(
        "rt mk x paths=/x service=apo",
        7,
        "route/default/x /service: service `apo` does not exist",
    );
    gateway.fails("rt mk x paths=/x service=apo", 7, "help: did you mean `api`?");
    gateway.fails("svc rm api", 5, "route/default/r");
    gateway.fails("svc mk api urls=http://127.0.0.1:1 --new", 5, "api");
    gateway.fails("svc set api retries=1 --if-revision 99", 5, "it was changed meanwhile");
    gateway.fails("svc rm nobody", 6, "does not exist");
    gateway.fails("rollback 99", 6, "revision 99");
    gateway.fails("svc rm api --cascade", 2, "route/default/r would be deleted, too");
    gateway.done("svc rm api --cascade --yes");
    gateway.fails("rt get r", 6, "does not exist");
}

#[test]
fn what_is_worth_a_warning_is_told_whoever_writes() {
    let gateway = Gateway::start();
    gateway.done("svc mk api urls=http://127.0.0.1:1");
    gateway.write("r.yaml", "routes: [{name: s, paths: [/s], service: api, tags: ['#region:mars']}]\n");
    for line in
        ["rt mk r paths=/r service=api tags=#region:mars", "rt set r tags=#region:mars,!x", "apply -f r.yaml"]
    {
        let done = gateway.run(line);
        assert_eq!(done.status, 0, "{}", done.stderr);
        let warning = "/tags/0: no tag of this server ever satisfies `#region:mars`\n";
        assert!(
            done.stderr.starts_with("warning: route/default/") && done.stderr.contains(warning),
            "{}",
            done.stderr
        );
    }
}

#[test]
fn an_export_is_no_different_and_comes_back() {
    let gateway = Gateway::start();
    gateway.write("m.ts", "export function requestHandler(ctx) { ctx.status(418); }\n");
    gateway.write(
        "all.yaml",
        "owner: edge\nnamespaces: [{name: shop}]\nsecrets: [{name: s, namespace: shop, data: hunter2}]\n\
         services: [{name: api, namespace: shop, urls: ['http://127.0.0.1:1', {url: 'http://127.0.0.1:2', weight: 3}], connectTimeout: 250ms}]\n\
         modules: [{name: m, namespace: shop, payloadFile: m.ts}]\ncollections: [{name: c, namespace: shop}]\n\
         documents: [{id: '1', collection: c, namespace: shop, data: {a: [1, 2.5, null, 'ü: #', '$${x} $']}}]\n\
         routes: [{name: r, namespace: shop, paths: [/r], service: api, modules: [m], match: {headers: {x-a: {prefix: b}}}}]\n",
    );
    assert!(gateway.run("apply -f all.yaml -m first").stderr.contains("7 created (revision 1)"));
    assert!(gateway.run("apply -f all.yaml").stderr.contains("nothing had to be changed (revision 1)"));
    let exported = gateway.done("export --documents");
    assert!(!exported.contains("hunter2"), "{exported}");
    gateway.write("exported.yaml", &exported);
    let same = gateway.run("diff -f exported.yaml --exit-code");
    assert_eq!((same.status, same.stderr.as_str()), (0, "no differences\n"), "{}", same.stdout);

    gateway.fails("rollback 0 --dry-run", 7, "help: `--documents` rolls documents back as well");

    gateway.write("less.yaml", "owner: edge\nnamespaces: [{name: shop}]\nservices: [{name: api, namespace: shop, urls: ['http://127.0.0.1:9']}]\n");
    let differs = gateway.run("diff -f less.yaml --exit-code");
    assert_eq!(differs.status, 3, "{}", differs.stderr);
    for line in ["~ service/shop/api\n", "    urls: [", "- route/shop/r\n", "- secret/shop/s\n"] {
        assert!(differs.stdout.contains(line), "{line}: {}", differs.stdout);
    }
    gateway.done("sync -f less.yaml --cascade --yes");
    gateway.fails("rt get r -n shop", 6, "does not exist");
    let log = gateway.done("log");
    assert!(log.contains("first") && log.lines().count() == 3, "{log}");
    assert!(gateway.done("log 2").contains("- route/shop/r"));
    gateway.done("rollback 1 --documents --yes -m back");
    assert_eq!(gateway.run("diff -f exported.yaml --exit-code").status, 0);
    assert_eq!(gateway.json("log").as_array().unwrap().len(), 3);
}

#[test]
fn what_is_wrong_with_a_file_is_told_at_once_and_nothing_is_changed() {
    let gateway = Gateway::start();
    gateway.write(
        "bad.yaml",
        "services:\n- {name: a, urls: ['ftp://x']}\nroutes:\n- name: r\n  paths: [x]\n  service: b\n",
    );
    let refused = gateway.run("apply -f bad.yaml");
    assert_eq!(refused.status, 7);
    for line in [
        "bad.yaml:2 service/default/a /urls",
        "bad.yaml:5 route/default/r /paths/0",
        "bad.yaml:6 route/default/r /service",
    ] {
        assert!(refused.stderr.contains(line), "{line}: {}", refused.stderr);
    }
    assert_eq!(gateway.json("svc ls"), serde_json::json!([]));
    let offline = gateway.run("validate -f bad.yaml");
    assert_eq!(offline.status, 7);
    assert!(offline.stderr.contains("bad.yaml:6 route/default/r /service"), "{}", offline.stderr);
    gateway.fails("validate --online -f bad.yaml", 7, "bad.yaml:2");
}

#[test]
fn every_result_for_programs_can_be_read_by_them() {
    let gateway = Gateway::start();
    gateway.done("svc mk api urls=http://127.0.0.1:1");
    gateway.done("rt mk r paths=/r service=api");
    gateway.write("f.yaml", "services: [{name: api, urls: ['http://127.0.0.1:2']}]\n");
    for line in [
        "svc ls",
        "svc get api",
        "rt set r priority=1",
        "diff -f f.yaml",
        "apply -f f.yaml",
        "export",
        "log",
        "log 1",
        "explain /r",
        "version",
        "top --interval 10ms",
        "rollback 1 --dry-run",
        "svc mk b urls=http://127.0.0.1:1",
    ] {
        gateway.json(line);
        let yaml = gateway.done(&format!("{line} -o yaml"));
        let read: Result<Value, _> = serde_saphyr::from_str(&yaml);
        assert!(read.is_ok(), "{line}: {yaml}");
    }
}

#[test]
fn somebody_who_watches_sees_every_revision() {
    let gateway = Gateway::start();
    let mut command = program(&["--admin", &gateway.ports.admin_url(), "log", "-f", "-o", "name"]);
    let mut watching = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(watching.stdout.take().unwrap()));
    for revision in 1..=3 {
        gateway.done(&format!("svc mk api urls=http://127.0.0.1:{revision}"));
        assert_eq!(lines.next().unwrap().unwrap(), revision.to_string());
    }
    watching.kill().unwrap();
    watching.wait().unwrap();
}

#[test]
fn a_route_is_edited_in_place() {
    let gateway = Gateway::start();
    gateway.done("svc mk api urls=http://127.0.0.1:1");
    gateway.done("rt mk r paths=/r service=api");
    gateway.done("sec mk token data=hunter2");
    let edit = |line: &str, editor: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let mut command = program(&words);
        command.env("DGATE_ADMIN_API", gateway.ports.admin_url()).env("EDITOR", editor).env_remove("VISUAL");
        ended(&command.output().unwrap())
    };
    let edited = edit("rt edit r", "sed -i s,/r$,/other,");
    assert_eq!(edited.status, 0, "{}", edited.stderr);
    assert_eq!(gateway.json("rt get r")["paths"], serde_json::json!(["/other"]));
    let before = gateway.json("sec get token")["data_fingerprint"].clone();
    let edited = edit("sec edit token", "sh -c 'echo \"tags: [a]\" >> $1' --");
    assert_eq!(edited.status, 0, "{}", edited.stderr);
    let after = gateway.json("sec get token");
    assert_eq!(
        (&after["data_fingerprint"], &after["tags"]),
        (&before, &serde_json::json!(["a"])),
        "the value stays"
    );
}

#[test]
fn values_come_from_standard_input() {
    let gateway = Gateway::start();
    let url = gateway.ports.admin_url();
    let mut command = program(&["--admin", &url, "sec", "mk", "token", "data@=-"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"hunter2").unwrap();
    assert!(child.wait().unwrap().success());
    assert!(gateway.json("sec get token")["data_fingerprint"].as_str().unwrap().starts_with("hmac:"));
}

#[test]
fn who_asks_has_to_say_so_and_may_do_so_much() {
    let gateway = Gateway::start_with_admin(
        ", auth_method: basic, basic_auth: {users: [{username: root, password: hunter2}, \
         {username: eve, password: hunter3, role: viewer}]}",
    );
    gateway.fails("svc ls", 4, "help: log in with `--auth USER`");
    gateway.fails("--auth root:wrong svc ls", 4, "error: ");
    gateway.fails("--auth root svc ls", 2, "nobody can be asked");
    gateway.fails("--auth eve:hunter3 svc mk api urls=http://127.0.0.1:1", 4, "error: ");
    gateway.done("--auth eve:hunter3 svc ls");
    let done = gateway.run("-V --auth root:hunter2 svc mk api urls=http://127.0.0.1:1");
    assert_eq!(done.status, 0, "{}", done.stderr);
    assert!(
        done.stderr.contains("PUT http://127.0.0.1:") && !done.stderr.contains("hunter2"),
        "{}",
        done.stderr
    );
    let mut command = program(&["log", "-o", "json"]);
    command.env("DGATE_ADMIN_API", gateway.ports.admin_url()).env("DGATE_ADMIN_AUTH", "root:hunter2");
    let log: Value = serde_json::from_str(&ended(&command.output().unwrap()).stdout).unwrap();
    assert_eq!(log[0]["who"], "root");
}

#[test]
fn keys_are_another_way_to_log_in() {
    let gateway =
        Gateway::start_with_admin(", auth_method: key, key_auth: {keys: [{name: ci, key: hunter2}]}");
    gateway.fails("svc ls", 4, "--api-key");
    gateway.done("--api-key hunter2 svc ls");
    gateway.fails("--api-key hunter2 --token x svc ls", 2, "more than one of");
}

#[test]
fn at_a_terminal_questions_are_asked() {
    let gateway = Gateway::start_with_admin(
        ", auth_method: basic, basic_auth: {users: [{username: root, password: hunter2}]}",
    );
    let shown = at_a_terminal(&gateway, "--auth root svc mk api urls=http://127.0.0.1:1", "hunter2\n");
    assert!(shown.contains("Password of root: ") && shown.contains("service default/api created"), "{shown}");
    gateway.done("--auth root:hunter2 rt mk r paths=/r service=api");
    let delete = "--auth root:hunter2 svc rm api --cascade";
    let shown = at_a_terminal(&gateway, delete, "n\n");
    assert!(
        shown.contains("Delete service default/api and 1 more? [y/N]") && shown.contains("nothing was done"),
        "{shown}"
    );
    let shown = at_a_terminal(&gateway, delete, "y\n");
    assert!(shown.contains("service default/api deleted"), "{shown}");
    let shown = at_a_terminal(&gateway, &format!("{delete} --no-input"), "y\n");
    assert!(shown.contains("does not exist"), "{shown}");
}

#[test]
fn a_modules_words_and_effects_are_seen() {
    let gateway = Gateway::start();
    gateway.write(
        "greet.ts",
        "export function requestHandler(ctx: any) {\n  console.log(\"hello there\");\n  ctx.response().status(418).json({ hi: ctx.query().get(\"name\") });\n}\n",
    );
    gateway.done("rt mk tea paths=/tea");
    gateway.done("module deploy greet.ts --route tea");
    let mut command = program(&["--admin", &gateway.ports.admin_url(), "module", "logs", "-f", "greet"]);
    let mut watching = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(watching.stdout.take().unwrap()));
    let (send, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| send.send(line)));
    // What is written before somebody listens is not kept: send until it is heard.
    let deadline = std::time::Instant::now() + crate::server::PATIENCE;
    let line = loop {
        let sent = gateway.json("explain /tea?name=ann --send");
        assert_eq!(
            (&sent["answer"]["status"], &sent["answer"]["body"]),
            (&418.into(), &"{\"hi\":\"ann\"}".into()),
            "{sent}"
        );
        match heard.recv_timeout(std::time::Duration::from_millis(100)) {
            Ok(line) => break line,
            Err(_) => assert!(std::time::Instant::now() < deadline, "nothing was heard"),
        }
    };
    assert!(line.contains("dgate::module: hello there") && line.contains("module=greet"), "{line}");
    watching.kill().unwrap();
    watching.wait().unwrap();
    assert!(gateway.done("explain /tea?name=ann --send").contains("\n418 after "));
    gateway.write("greet.ts", "export function requestHandler(ctx) {\n  return ctx..status;\n}\n");
    let refused = gateway.run("module deploy greet.ts");
    assert_eq!((refused.status, refused.stdout.as_str()), (7, ""), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("module/default/greet") && refused.stderr.contains("2:"),
        "{}",
        refused.stderr
    );
}
