//! What listens where, and changes while it does.

use std::fmt;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;

use dgate_core::BoxFuture;
use dgate_proxy::server::{Acceptor, MinTlsVersion, TlsServer};
use dgate_proxy::{FallbackCertificate, Gateway};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::admin::ControlPlane;
use crate::config::{self, Loaded, MinTls, TestServer};
use crate::small_http;
use crate::sockets::{BindError, Sockets};

/// Which listener it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Name {
    ProxyHttp,
    ProxyHttps,
    Admin,
    TestServer,
}

impl Name {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ProxyHttp => "proxy-http",
            Self::ProxyHttps => "proxy-https",
            Self::Admin => "admin",
            Self::TestServer => "test-server",
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A listener that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) name: Name,
    pub(crate) address: SocketAddr,
    service: Service,
}

/// What a listener serves.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Service {
    Http,
    Https(MinTls),
    Admin(Box<config::Admin>, Option<FallbackCertificate>),
    TestServer(TestServer),
}

impl Wanted {
    /// The listeners that a configuration asks for.
    pub(crate) fn all(loaded: &Loaded) -> Vec<Self> {
        let config = &loaded.config;
        let proxy = &config.proxy;
        let new = |name, host: IpAddr, port, service| Self { name, address: (host, port).into(), service };
        let mut all = vec![new(Name::ProxyHttp, proxy.host, proxy.port, Service::Http)];
        if let Some(tls) = &proxy.tls {
            all.push(new(Name::ProxyHttps, proxy.host, tls.port, Service::Https(tls.min_version)));
        }
        let admin = &config.admin;
        all.push(new(
            Name::Admin,
            admin.host,
            admin.port,
            Service::Admin(Box::new(admin.clone()), loaded.admin_certificate.clone()),
        ));
        if let Some(test) = &config.test_server {
            all.push(new(Name::TestServer, test.host, test.port, Service::TestServer(test.clone())));
        }
        all
    }
}

/// A listener cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {source}")]
pub struct ListenError {
    name: Name,
    source: ListenErrorSource,
}

#[derive(Debug, thiserror::Error)]
enum ListenErrorSource {
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error(transparent)]
    Socket(#[from] std::io::Error),
    #[error(transparent)]
    Tls(#[from] dgate_proxy::server::TlsError),
}

impl ListenError {
    fn of(name: Name) -> impl Fn(ListenErrorSource) -> Self {
        move |source| Self { name, source }
    }
}

/// A listening socket of another process, to go on with.
#[derive(Debug)]
pub(crate) struct Inherited {
    pub(crate) name: Name,
    pub(crate) socket: TcpListener,
}

/// What listeners need besides sockets.
pub(crate) struct Context {
    pub(crate) gateway: Gateway,
    /// Where connections of the proxy are accepted.
    pub(crate) workers: Vec<Handle>,
    pub(crate) control: ControlPlane,
}

/// The listeners that are open.
pub(crate) struct Listeners {
    context: Context,
    open: Vec<Open>,
}

struct Open {
    wanted: Wanted,
    sockets: Arc<Sockets>,
    tasks: Vec<Task>,
}

/// One thread's accepting.
struct Task {
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

/// Listeners whose sockets are bound, and who wait to be served.
pub(crate) struct Bound(Vec<(Wanted, Arc<Sockets>)>);

impl Listeners {
    pub(crate) fn new(context: Context) -> Self {
        Self { context, open: Vec::new() }
    }

    /// Binds what is wanted and not there yet. Nothing changes: what is bound here is served after [`Self::switch`].
    pub(crate) fn bind(
        &self,
        wanted: Vec<Wanted>,
        mut inherited: Vec<Inherited>,
    ) -> Result<Bound, ListenError> {
        let mut bound = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            // Any port is another one for each listener.
            let is_it = |open: &&Open| {
                open.wanted.address == wanted.address
                    && (wanted.address.port() != 0 || open.wanted.name == wanted.name)
            };
            let there = self.open.iter().find(is_it);
            let sockets = match there {
                Some(open) => open.sockets.clone(),
                None => Arc::new(self.bind_one(&wanted, &mut inherited)?),
            };
            bound.push((wanted, sockets));
        }
        Ok(Bound(bound))
    }

    fn bind_one(&self, wanted: &Wanted, inherited: &mut Vec<Inherited>) -> Result<Sockets, ListenError> {
        let is_it = |given: &mut Inherited| {
            given.name == wanted.name && given.socket.local_addr().is_ok_and(|had| meets(had, wanted.address))
        };
        let given: Vec<_> = inherited.extract_if(.., is_it).map(|given| given.socket).collect();
        let count = if wanted.is_proxy() { self.context.workers.len() } else { 1 };
        let port = wanted.address.port();
        let is_ours = port != 0 && self.open.iter().any(|open| open.sockets.address.port() == port);
        Sockets::bind(wanted.address, given, count, is_ours)
            .map_err(|error| ListenError::of(wanted.name)(error.into()))
    }

    /// Serves what was bound, and stops serving what is not wanted any more.
    pub(crate) fn switch(&mut self, Bound(bound): Bound) -> Result<(), ListenError> {
        let mut before = std::mem::take(&mut self.open);
        for (wanted, sockets) in bound {
            let same = before.iter().position(|open| open.wanted == wanted);
            let open = match same {
                Some(index) => before.swap_remove(index),
                None => {
                    let tasks = self.serve(&wanted, &sockets)?;
                    Open { wanted, sockets, tasks }
                }
            };
            self.open.push(open);
        }
        for gone in before {
            let goes_on = self.open.iter().any(|open| Arc::ptr_eq(&open.sockets, &gone.sockets));
            if !goes_on {
                gone.sockets.refuse_new();
            }
            for task in gone.tasks {
                if goes_on {
                    task.running.abort();
                } else {
                    drop(task.stop());
                }
            }
        }
        Ok(())
    }

    fn serve(&self, wanted: &Wanted, sockets: &Sockets) -> Result<Vec<Task>, ListenError> {
        let failed = ListenError::of(wanted.name);
        let sockets = sockets.duplicate().map_err(|error| failed(error.into()))?;
        match &wanted.service {
            Service::Http => Ok(self.accept(wanted.name, sockets, None)),
            Service::Https(min_version) => {
                let min_version = match min_version {
                    MinTls::Tls12 => MinTlsVersion::Tls12,
                    MinTls::Tls13 => MinTlsVersion::Tls13,
                };
                let tls = TlsServer::new(&self.context.gateway, min_version)
                    .map_err(|error| failed(error.into()))?;
                Ok(self.accept(wanted.name, sockets, Some(tls)))
            }
            Service::Admin(admin, certificate) => {
                let admin = Arc::new(self.context.control.api(admin));
                // It was looked at when the file was read.
                let tls = certificate.as_ref().map(TlsServer::of_certificate).transpose();
                let tls = tls.map_err(|(_, error)| failed(std::io::Error::other(error).into()))?;
                Ok(spawn_all(sockets, &[Handle::current()], |listener, _| {
                    Box::pin(small_http::serve(listener, tls.clone(), admin.clone()))
                }))
            }
            Service::TestServer(test) => {
                let test = Arc::new(test.clone());
                Ok(spawn_all(sockets, &[Handle::current()], |listener, _| {
                    Box::pin(small_http::serve(listener, None, test.clone()))
                }))
            }
        }
    }

    fn accept(&self, name: Name, sockets: Vec<TcpListener>, tls: Option<Arc<TlsServer>>) -> Vec<Task> {
        let acceptor = Acceptor::new(self.context.gateway.clone(), name.to_string(), tls);
        spawn_all(sockets, &self.context.workers, |listener, stopped| {
            let acceptor = acceptor.clone();
            Box::pin(async move {
                let stop = async { drop(stopped.await) };
                acceptor.accept(listener, stop).await;
            })
        })
    }

    /// The addresses they listen on.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (Name, SocketAddr)> + '_ {
        self.open.iter().map(|open| (open.wanted.name, open.sockets.address))
    }

    /// Stops accepting for the proxy, after who has connected before. Admin goes on: somebody may ask how it stands.
    /// So does the test server, which may be asked by requests under way.
    pub(crate) async fn stop_proxy(&mut self) {
        let (gone, stays): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.open).into_iter().partition(|open| open.wanted.is_proxy());
        self.open = stays;
        gone.iter().for_each(|open| open.sockets.refuse_new());
        for Open { tasks, sockets, .. } in gone {
            let running: Vec<_> = tasks.into_iter().map(Task::stop).collect();
            for task in running {
                let _ = task.await;
            }
            drop(sockets);
        }
    }

    /// Stops accepting everywhere, and leaves who has connected before to another process that has these sockets.
    pub(crate) fn abandon(&mut self) {
        let tasks = std::mem::take(&mut self.open).into_iter().flat_map(|open| open.tasks);
        tasks.for_each(|task| task.running.abort());
    }

    /// Another handle to each socket.
    ///
    /// # Errors
    /// When there are too many files open.
    pub(crate) fn duplicate(&self) -> std::io::Result<Vec<Inherited>> {
        let mut all = Vec::new();
        for open in &self.open {
            let name = open.wanted.name;
            all.extend(open.sockets.duplicate()?.into_iter().map(|socket| Inherited { name, socket }));
        }
        Ok(all)
    }
}

impl Wanted {
    fn is_proxy(&self) -> bool {
        matches!(self.name, Name::ProxyHttp | Name::ProxyHttps)
    }
}

impl Task {
    fn stop(self) -> JoinHandle<()> {
        let _ = self.stop.send(());
        self.running
    }
}

/// Whether a socket's address is what is asked for.
fn meets(had: SocketAddr, wanted: SocketAddr) -> bool {
    had.ip() == wanted.ip() && (wanted.port() == 0 || had.port() == wanted.port())
}

/// Spreads sockets over runtimes.
fn spawn_all(
    sockets: Vec<TcpListener>,
    runtimes: &[Handle],
    serve: impl Fn(tokio::net::TcpListener, oneshot::Receiver<()>) -> BoxFuture<'static, ()>,
) -> Vec<Task> {
    let runtimes = runtimes.iter().cycle();
    let spawn = |(socket, runtime): (TcpListener, &Handle)| {
        // Registers the socket with that runtime.
        let _inside = runtime.enter();
        let listener = match tokio::net::TcpListener::from_std(socket) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!(%error, "a socket cannot be served");
                return None;
            }
        };
        let (stop, stopped) = oneshot::channel();
        Some(Task { stop, running: runtime.spawn(serve(listener, stopped)) })
    };
    sockets.into_iter().zip(runtimes).filter_map(spawn).collect()
}
