//! Listening sockets.

use std::io;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// How many connections may wait to be accepted. Linux cuts it to `net.core.somaxconn`.
const BACKLOG: i32 = 4_096;

/// Takes all packets but those that begin a connection (linux/bpf_common.h; flags of RFC 9293, section 3.1). Connections
/// inherit it, and are none the worse.
#[cfg(target_os = "linux")]
const NO_FIRST_PACKETS: [socket2::SockFilter; 4] = {
    use socket2::SockFilter;
    const LOAD_BYTE: u16 = 0x30;
    const JUMP_IF_SET: u16 = 0x45;
    const RETURN: u16 = 0x06;
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    [
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(JUMP_IF_SET, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ]
};

/// The listening sockets of one address: one for each thread that accepts, among which the kernel spreads connections.
#[derive(Debug)]
pub(crate) struct Sockets {
    /// The address they really have: with the port that was picked if any would do.
    pub(crate) address: SocketAddr,
    sockets: Vec<TcpListener>,
}

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {}", explain(.source))]
pub(crate) struct BindError {
    address: SocketAddr,
    source: io::Error,
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another process listens there already".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "this user may not; ports below 1024 need root or the capability CAP_NET_BIND_SERVICE".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        _ => error.to_string(),
    }
}

impl Sockets {
    /// Binds as many sockets as there are threads. Those given by another process come first, and all of them are kept:
    /// connections wait in each. A port is not shared with strangers, unless it `is_ours` already.
    pub(crate) fn bind(
        address: SocketAddr,
        given: Vec<TcpListener>,
        count: usize,
        is_ours: bool,
    ) -> Result<Self, BindError> {
        Self::complete(address, given, count, is_ours).map_err(|source| BindError { address, source })
    }

    fn complete(
        mut address: SocketAddr,
        mut sockets: Vec<TcpListener>,
        count: usize,
        is_ours: bool,
    ) -> io::Result<Self> {
        if let Some(given) = sockets.first() {
            address = given.local_addr()?;
        } else if address.port() != 0 && !is_ours {
            // Sockets that share their port would share it with those of another process, too. This one does not, so
            // it finds out.
            listen(address, false)?;
        }
        while sockets.len() < count {
            let socket = listen(address, true)?;
            address = socket.local_addr()?;
            sockets.push(socket);
        }
        for socket in &sockets {
            socket.set_nonblocking(true)?;
        }
        Ok(Self { address, sockets })
    }

    /// From now on nobody can connect; who has connected before waits to be accepted.
    ///
    /// A listening socket that is closed resets connections that wait in it. With a filter in front that takes no first
    /// packets, handshakes under way are completed and all that wait can be accepted before; who tries to connect
    /// meanwhile is refused when the socket is closed. Not for sockets that another process goes on with.
    pub(crate) fn refuse_new(&self) {
        #[cfg(target_os = "linux")]
        for socket in &self.sockets {
            if let Err(error) = socket2::SockRef::from(socket).attach_filter(&NO_FIRST_PACKETS) {
                tracing::debug!(%error, "connections that wait when a listener closes may be reset");
            }
        }
    }

    /// Another handle to each socket; a socket is closed with its last handle.
    pub(crate) fn duplicate(&self) -> io::Result<Vec<TcpListener>> {
        self.sockets.iter().map(TcpListener::try_clone).collect()
    }
}

fn listen(address: SocketAddr, shares_port: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        // `::` is for everybody.
        socket.set_only_v6(false)?;
    }
    // On Windows it would let others take the port away.
    #[cfg(unix)]
    {
        socket.set_reuse_address(true)?;
        if shares_port {
            socket.set_reuse_port(true)?;
        }
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(address: SocketAddr, given: Vec<TcpListener>, count: usize) -> Result<Sockets, BindError> {
        Sockets::bind(address, given, count, false)
    }

    #[test]
    fn any_port_is_one_port_for_all() {
        let sockets = bind("127.0.0.1:0".parse().unwrap(), Vec::new(), 3).unwrap();
        let again = sockets.duplicate().unwrap();
        assert_eq!(again.len(), 3);
        assert_ne!(sockets.address.port(), 0);
        assert!(again.iter().all(|socket| socket.local_addr().unwrap() == sockets.address));
    }

    #[test]
    fn a_port_is_not_shared_with_strangers() {
        let sockets = bind("127.0.0.1:0".parse().unwrap(), Vec::new(), 2).unwrap();
        let error = bind(sockets.address, Vec::new(), 2).unwrap_err();
        let expected = format!("cannot listen on {}: another process listens there already", sockets.address);
        assert_eq!(error.to_string(), expected);
        Sockets::bind(sockets.address, Vec::new(), 2, true).unwrap();
        drop(sockets);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn who_has_connected_before_is_accepted_and_nobody_after() {
        let sockets = bind("127.0.0.1:0".parse().unwrap(), Vec::new(), 1).unwrap();
        let before = std::net::TcpStream::connect(sockets.address).unwrap();
        sockets.refuse_new();
        let patience = std::time::Duration::from_millis(50);
        let after = std::net::TcpStream::connect_timeout(&sockets.address, patience);
        assert_eq!(after.unwrap_err().kind(), io::ErrorKind::TimedOut);
        let (_, peer) = sockets.sockets[0].accept().unwrap();
        assert_eq!(peer, before.local_addr().unwrap());
        assert_eq!(sockets.sockets[0].accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn given_sockets_are_kept_and_completed() {
        let sockets = bind("127.0.0.1:0".parse().unwrap(), Vec::new(), 2).unwrap();
        let more = bind(sockets.address, sockets.duplicate().unwrap(), 3).unwrap();
        assert_eq!(more.duplicate().unwrap().len(), 3);
        let fewer = bind(sockets.address, sockets.duplicate().unwrap(), 1).unwrap();
        assert_eq!(fewer.duplicate().unwrap().len(), 2);
    }
}
