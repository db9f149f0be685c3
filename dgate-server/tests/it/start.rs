//! The first five minutes.

use std::process::Stdio;

use crate::running::{Directory, Running, configuration, get, line_of, output, program};
use dgate_proxy::testing::TestUpstream;

/// A port that nobody listens on right now.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn dev_answers_hello_world_with_the_gateways_headers() {
    let (port, admin, echo) = (free_port(), free_port(), free_port());
    let mut command = program();
    command.arg("dev").args(["--port", &port.to_string()]).args(["--admin-port", &admin.to_string()]);
    command.args(["--echo-port", &echo.to_string()]);
    let running = Running::spawn(command, Directory::new(), |_| {}).await;
    let answer = running.get("/hello/world?a=b").await;
    assert_eq!(answer.status(), 200);
    let body = answer.json();
    assert_eq!(body["status_code"], 200);
    let data = &body["data"];
    assert_eq!((&data["method"], &data["path"]), (&"GET".into(), &"/hello/world?a=b".into()));
    for (header, value) in [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "localhost"),
        ("x-forwarded-proto", "http"),
        ("x-dgate-namespace", "default"),
        ("x-dgate-route", "hello"),
        ("x-dgate-service", "echo"),
        ("via", "1.1 dgate"),
        ("x-request-id", answer.header("x-request-id")),
    ] {
        assert_eq!(data["req_headers"][header][0], value, "{header}");
    }
    assert_eq!(running.get("/hello").await.status(), 200, "the bare prefix is meant as well");
    let greeted = running.get("/greet/Ann?greeting=hi").await;
    assert_eq!(greeted.json(), serde_json::json!({ "greeting": "hi", "name": "Ann" }), "a module answers");
    assert_eq!(running.get("/elsewhere").await.status(), 404);
    assert_eq!(running.admin("/readyz").await.status(), 200);
    assert!(running.log().contains(&format!("curl -i localhost:{port}/hello/world")), "it says what to try");
    assert!(running.stdout().contains("\"GET /hello/world?a=b HTTP/1.1\" 200"), "{}", running.stdout());
    let (status, _) = running.stop().await;
    assert!(status.success());
}

#[tokio::test]
async fn without_a_file_there_are_safe_defaults_and_a_line_that_says_so() {
    // The defaults have fixed ports: only what is said of them is looked at.
    let directory = Directory::new();
    let mut command = program();
    let printed = output(command.args(["config", "print"]).current_dir(directory.path()));
    let text = String::from_utf8(printed.stdout).unwrap();
    assert!(printed.status.success());
    for line in ["port: 8080", "host: \"0.0.0.0\"", "port: 9080", "host: \"127.0.0.1\""] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("test_server"), "off unless it is asked for");
}

#[tokio::test]
async fn a_port_in_use_is_said_clearly() {
    let upstream = TestUpstream::echo().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for (key, listener) in [("proxy", "proxy-http"), ("admin", "admin")] {
        let directory = Directory::new();
        let text = configuration(&upstream.url(), "");
        let text = match key {
            "proxy" => {
                text.replace("host: 127.0.0.1\n  port: 0", &format!("host: 127.0.0.1\n  port: {port}"))
            }
            _ => text.replace("admin: {port: 0}", &format!("admin: {{port: {port}}}")),
        };
        let path = directory.write("config.yaml", text);
        let ended = output(program().arg("-c").arg(path));
        assert_eq!(ended.status.code(), Some(1));
        let said = String::from_utf8(ended.stderr).unwrap();
        let expected =
            format!("{listener}: cannot listen on 127.0.0.1:{port}: another process listens there already");
        assert!(said.contains(&expected), "{said}");
    }
}

#[tokio::test]
async fn any_port_is_shown() {
    let upstream = TestUpstream::echo().await;
    let running = Running::start(&configuration(&upstream.url(), "")).await;
    assert_ne!(running.address("proxy-http").port(), 0);
    assert_eq!(running.get("/x").await.json()["path"], "/x");
    let line = line_of(&running.log(), "serving").unwrap();
    assert!(line["configuration"].as_str().unwrap().ends_with("config.yaml"), "{line}");
}

#[tokio::test]
async fn all_formats_serve() {
    let upstream = TestUpstream::echo().await;
    let url = upstream.url();
    let toml = format!(
        "version = 'v1'\nlog_format = 'json'\n[admin]\nport = 0\n[access_log]\nformat = 'off'\n[storage]\ntype = 'memory'\n[proxy]\nhost = '127.0.0.1'\nport = 0\n\
         [[proxy.init_resources.services]]\nname = 's'\nurls = ['{url}']\n\
         [[proxy.init_resources.routes]]\nname = 'all'\npaths = ['/**']\nservice = 's'\n"
    );
    let json = serde_json::json!({
        "version": "v1", "log_format": "json", "admin": { "port": 0 }, "access_log": { "format": "off" },
        "storage": { "type": "memory" },
        "proxy": { "host": "127.0.0.1", "port": 0, "init_resources": {
            "services": [{ "name": "s", "urls": [url] }],
            "routes": [{ "name": "all", "paths": ["/**"], "service": "s" }],
        } },
    })
    .to_string();
    for (name, text) in [("c.toml", toml), ("c.json", json), ("c.yaml", configuration(&url, ""))] {
        let directory = Directory::new();
        let path = directory.write(name, text);
        let mut command = program();
        command.arg("-c").arg(path);
        let running = Running::spawn(command, directory, |_| {}).await;
        assert_eq!(running.get("/x").await.json()["path"], "/x", "{name}");
    }
}

#[tokio::test]
async fn the_file_is_found_by_variable_and_by_place() {
    let upstream = TestUpstream::echo().await;
    let text = configuration(&upstream.url(), "");
    for name in ["config.dgate.yaml", "dgate.yaml", "config.dgate.toml"] {
        let directory = Directory::new();
        directory.write(name, if name.ends_with("toml") { "tags = ['found']" } else { "tags: [found]" });
        let printed = output(program().args(["config", "print"]).current_dir(directory.path()));
        assert!(String::from_utf8(printed.stdout).unwrap().contains("- found"), "{name}");
    }
    let directory = Directory::new();
    let path = directory.write("any.yaml", &text);
    let mut command = program();
    command.env("DG_CONFIG_PATH", &path);
    let running = Running::spawn(command, directory, |_| {}).await;
    assert_eq!(running.get("/").await.status(), 200);
}

#[tokio::test]
async fn every_worker_has_a_socket_and_both_flavors_serve() {
    let upstream = TestUpstream::echo().await;
    for runtime in ["{workers: 3}", "{flavor: work_stealing, workers: 2}", "{workers: 1}"] {
        let running = Running::start(&configuration(&upstream.url(), &format!("runtime: {runtime}"))).await;
        let address = running.address("proxy-http");
        for _ in 0..20 {
            assert_eq!(get(address, "localhost", "/").await.status(), 200, "{runtime}");
        }
        let (status, _) = running.stop().await;
        assert!(status.success());
    }
}

#[tokio::test]
async fn systemd_is_told() {
    let upstream = TestUpstream::echo().await;
    let directory = Directory::new();
    let path = directory.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(crate::PATIENCE)).unwrap();
    directory.write("config.yaml", configuration(&upstream.url(), ""));
    let running = Running::start_in(directory, |command| {
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "500000").stdin(Stdio::null());
    })
    .await;
    let heard = std::cell::RefCell::new(String::new());
    let hear_until = |wanted: &str| {
        let mut buffer = [0; 1_024];
        while !heard.borrow().contains(wanted) {
            let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{wanted}: {error}"));
            heard.borrow_mut().push_str(&String::from_utf8_lossy(&buffer[..length]));
            heard.borrow_mut().push('\n');
        }
        heard.borrow_mut().clear();
    };
    hear_until("READY=1\nSTATUS=serving: proxy-http=127.0.0.1:");
    hear_until("WATCHDOG=1");
    running.signal(rustix::process::Signal::HUP);
    hear_until("RELOADING=1\nMONOTONIC_USEC=");
    hear_until("READY=1");
    running.signal(rustix::process::Signal::TERM);
    hear_until("STOPPING=1");
    assert!(running.end().await.0.success());
}

#[tokio::test]
async fn a_healthcheck_is_an_exit_status() {
    let upstream = TestUpstream::echo().await;
    let running = Running::start(&configuration(&upstream.url(), "shutdown: {drain_delay: 30s}")).await;
    let address = running.address("admin").to_string();
    let check = || output(program().args(["healthcheck", "--address", &address])).status.code();
    assert_eq!(check(), Some(0));
    running.signal(rustix::process::Signal::TERM);
    running.says("stopping").await;
    assert_eq!(check(), Some(1), "not while it drains");
    drop(running);
    assert_eq!(check(), Some(1), "nobody is there");
    let port_zero = running_config_with_port_zero();
    let ended = output(program().arg("-c").arg(port_zero.path().join("config.yaml")).arg("healthcheck"));
    assert_eq!(ended.status.code(), Some(2));
    assert!(String::from_utf8(ended.stderr).unwrap().contains("give `--address`"));
}

fn running_config_with_port_zero() -> Directory {
    let directory = Directory::new();
    directory.write("config.yaml", "admin: {port: 0}");
    directory
}
