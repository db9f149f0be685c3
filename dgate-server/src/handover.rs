//! Handing listening sockets over to a new process, so that a new version takes over without a refused connection.
//!
//! The old process starts the new one with a socket as its standard input. Through it go the listening sockets, each as
//! a length, a description in JSON, and the file descriptor beside it (`SCM_RIGHTS`, see unix(7)). When the new process
//! serves, it answers with one byte, and the old one stops accepting. If it ends before that, nothing has changed.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};

use crate::listeners::{Inherited, Name};

/// Says that standard input is what listening sockets come through.
const VARIABLE: &str = "DGATE_HANDOVER";

/// What the new process answers when it serves.
const READY: u8 = b'R';

/// How long the new process may take until it serves.
const PATIENCE: Duration = Duration::from_secs(60);

/// A description longer than this is none.
const LONGEST: usize = 4_096;

/// What goes with a file descriptor.
#[derive(Debug, Serialize, Deserialize)]
enum Message {
    Socket { name: Name },
    End,
}

/// How to start this program again: found out at the beginning, as a new version may lie in its place later.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    path: PathBuf,
    arguments: Vec<std::ffi::OsString>,
}

impl Program {
    pub(crate) fn of_this_process() -> io::Result<Self> {
        Ok(Self { path: std::env::current_exe()?, arguments: std::env::args_os().skip(1).collect() })
    }

    /// Starts a new process, gives it the sockets, and waits until it serves. Returns its process identifier.
    ///
    /// # Errors
    /// When it cannot be started, or ends, or takes too long; it is not there any more then.
    pub(crate) fn hand_over(&self, sockets: Vec<Inherited>) -> io::Result<u32> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut child = Command::new(&self.path)
            .args(&self.arguments)
            .env(VARIABLE, "stdin")
            // Says whom the watchdog of systemd watches: the old process.
            .env_remove("WATCHDOG_PID")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .spawn()?;
        match give(ours, &sockets) {
            Ok(()) => Ok(child.id()),
            Err(error) => Err(give_up(&mut child, &error)),
        }
    }
}

fn give(mut to: UnixStream, sockets: &[Inherited]) -> io::Result<()> {
    to.set_read_timeout(Some(PATIENCE))?;
    to.set_write_timeout(Some(PATIENCE))?;
    for Inherited { name, socket } in sockets {
        send(&mut to, &Message::Socket { name: *name }, Some(socket))?;
    }
    send(&mut to, &Message::End, None)?;
    let mut answer = [0];
    to.read_exact(&mut answer)?;
    if answer[0] == READY { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// Makes sure that the new process is gone, and says why it is.
fn give_up(child: &mut Child, error: &io::Error) -> io::Error {
    let reason = match child.try_wait() {
        Ok(Some(status)) => format!("the new process ended before it served ({status})"),
        // It has closed its end, so it is about to go.
        _ if matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
        ) =>
        {
            let status = child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
            format!("the new process ended before it served ({status})")
        }
        _ => {
            let _ = child.kill();
            let _ = child.wait();
            format!("the new process did not begin to serve: {error}")
        }
    };
    io::Error::other(reason)
}

fn send(to: &mut UnixStream, message: &Message, socket: Option<&TcpListener>) -> io::Result<()> {
    let text = serde_json::to_vec(message)?;
    let length = (text.len() as u32).to_be_bytes();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    let descriptors = socket.map(|socket| [socket.as_fd()]);
    if let Some(descriptors) = &descriptors {
        beside.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    let sent = sendmsg(&*to, &[IoSlice::new(&length)], &mut beside, SendFlags::empty())?;
    to.write_all(&length[sent..])?;
    to.write_all(&text)
}

/// The other process, which waits for word that this one serves.
#[derive(Debug)]
pub(crate) struct Predecessor {
    stream: UnixStream,
    /// What it gave.
    pub(crate) sockets: Vec<Inherited>,
}

impl Predecessor {
    /// Takes the sockets of the process that started this one, if that was to hand them over.
    ///
    /// # Errors
    /// When they do not come through.
    pub(crate) fn receive() -> io::Result<Option<Self>> {
        if std::env::var_os(VARIABLE).is_none_or(|value| value != "stdin") {
            return Ok(None);
        }
        let mut stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut sockets = Vec::new();
        while let (Message::Socket { name }, descriptor) = receive(&mut stream)? {
            let descriptor = descriptor.ok_or_else(|| io::Error::other("a socket did not come along"))?;
            sockets.push(Inherited { name, socket: descriptor.into() });
        }
        Ok(Some(Self { stream, sockets }))
    }

    /// Says that this process serves: the other one stops accepting.
    pub(crate) fn release(mut self) -> io::Result<()> {
        self.stream.write_all(&[READY])
    }
}

fn receive(from: &mut UnixStream) -> io::Result<(Message, Option<OwnedFd>)> {
    let mut length = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let received =
        recvmsg(&*from, &mut [IoSliceMut::new(&mut length)], &mut beside, RecvFlags::CMSG_CLOEXEC)?;
    if received.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let descriptor = beside.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    from.read_exact(&mut length[received.bytes..])?;
    let length = u32::from_be_bytes(length) as usize;
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut text = vec![0; length];
    from.read_exact(&mut text)?;
    Ok((serde_json::from_slice(&text)?, descriptor))
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn sockets_go_through() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        send(&mut ours, &Message::Socket { name: Name::Admin }, Some(&listener)).unwrap();
        send(&mut ours, &Message::End, None).unwrap();
        drop(listener);
        let (message, descriptor) = receive(&mut theirs).unwrap();
        assert!(matches!(message, Message::Socket { name: Name::Admin }));
        let listener = TcpListener::from(descriptor.unwrap());
        assert!(matches!(receive(&mut theirs).unwrap(), (Message::End, None)));
        let client = TcpStream::connect(address).unwrap();
        assert_eq!(listener.accept().unwrap().1, client.local_addr().unwrap());
        drop(ours);
        assert_eq!(receive(&mut theirs).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
