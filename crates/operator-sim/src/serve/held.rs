//! A port that stays ours while nobody listens on it: connections are refused, and nobody else gets it.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// How many connections may wait to be taken up.
const BACKLOG: u32 = 1024;

/// A port that is ours for as long as this is there, whether somebody listens or not.
#[derive(Debug)]
pub struct HeldPort {
    address: SocketAddr,
    /// Bound and deaf.
    _deaf: TcpSocket,
}

impl HeldPort {
    /// Takes this port; 0 takes a free one.
    ///
    /// # Errors
    /// When somebody else has it.
    pub fn take(wanted: SocketAddr) -> io::Result<Self> {
        let deaf = bound(wanted)?;
        Ok(Self {
            address: deaf.local_addr()?,
            _deaf: deaf,
        })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens there, until the listener is dropped.
    ///
    /// # Errors
    /// When somebody does already.
    pub fn listen(&self) -> io::Result<TcpListener> {
        bound(self.address)?.listen(BACKLOG)
    }
}

/// Several may hold a port as long as one of them listens at most.
fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
