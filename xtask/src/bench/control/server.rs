//! A server with a store in a file.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::client::Client;
use crate::bench::upstream::free_port;
use crate::command;

/// A server that may be started again and again on the same folder.
pub(super) struct Server {
    program: PathBuf,
    folder: PathBuf,
    proxy: SocketAddr,
    admin: SocketAddr,
}

/// A server that serves. It ends with this value.
pub(super) struct Running {
    child: Child,
    admin: SocketAddr,
}

impl Server {
    pub(super) fn new(program: PathBuf, folder: PathBuf) -> Result<Self> {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (proxy, admin) = (free_port()?, free_port()?);
        let text = format!(
            "version: v1
log_level: warn
storage: {{ dir: data }}
access_log: {{ format: \"off\" }}
proxy: {{ host: 127.0.0.1, port: {proxy} }}
admin: {{ port: {admin} }}
"
        );
        fs::write(folder.join("config.yaml"), text)?;
        Ok(Self { program, folder, proxy: local(proxy), admin: local(admin) })
    }

    /// Starts it, and waits until the proxy answers. It must know the route of the path then, if there is one; there is no
    /// upstream.
    pub(super) fn start(&self, path: Option<&str>) -> Result<Running> {
        let (path, expected) = path.map_or(("/nowhere", 404), |path| (path, 502));
        let log = self.folder.join("log");
        let file = File::create(&log)?;
        let mut command = Command::new(&self.program);
        command.args(["--config", "config.yaml"]).current_dir(&self.folder).stdin(Stdio::null());
        let child = command.stdout(file.try_clone()?).stderr(file).spawn();
        let child = child.with_context(|| command::line(&command))?;
        let mut running = Running { child, admin: self.admin };
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let answer = Client::connect(self.proxy).and_then(|mut client| client.send("GET", path, ""));
            match answer {
                Ok((status, _)) if status == expected => return Ok(running),
                Ok((status, _)) => bail!("the proxy answers {status}, not {expected}"),
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => {}
            }
            if let Some(status) = running.child.try_wait()? {
                bail!("the server ended ({status}): {}", fs::read_to_string(&log)?);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Running {
    /// A client of its Admin API.
    pub(super) fn client(&self) -> Result<Client> {
        Client::connect(self.admin)
    }

    /// Stops it as an operator would.
    pub(super) fn terminate(mut self) -> Result<()> {
        command::output(Command::new("kill").arg(self.child.id().to_string()))?;
        self.child.wait()?;
        Ok(())
    }

    /// Ends it as a fault would.
    pub(super) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
