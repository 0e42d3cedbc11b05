//! A port that can be closed and opened again: what is behind a closed one refuses connections at once.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use operator_sim::HeldPort;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::http::{self, Request, Response};

/// A port of loopback.
#[derive(Debug)]
pub(super) struct Door {
    port: HeldPort,
    open: Option<Open>,
}

/// Accepts until it is told to stop.
#[derive(Debug)]
struct Open {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Door {
    /// A closed door on a free port.
    pub(super) fn new() -> io::Result<Self> {
        let port = HeldPort::take((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(Self { port, open: None })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.port.address()
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Listens, and answers what comes.
    pub(super) fn open<F, A>(&mut self, answer: F) -> io::Result<()>
    where
        F: Fn(Request) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Option<Response>> + Send + 'static,
    {
        let listener = self.port.listen()?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(accept(listener, stopped, answer));
        self.open = Some(Open { stop, task });
        Ok(())
    }

    /// Stops listening and ends every connection; both are done when this is.
    pub(super) async fn close(&mut self) {
        if let Some(Open { stop, task }) = self.open.take() {
            // It has ended already where this fails, or the next does.
            let _ = stop.send(());
            let _ = task.await;
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Some(open) = &self.open {
            open.task.abort();
        }
    }
}

async fn accept<F, A>(listener: TcpListener, mut stopped: oneshot::Receiver<()>, answer: F)
where
    F: Fn(Request) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Option<Response>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            accepted = listener.accept() => {
                // A connection that is gone before it was taken up is its client's affair.
                if let Ok((stream, _)) = accepted {
                    let answer = answer.clone();
                    connections.spawn(async move { http::serve(stream, answer).await });
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    connections.shutdown().await;
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use operator_core::Timestamp;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn hello(_: Request) -> Option<Response> {
        http::response(200, "text/plain", "hello".into(), Timestamp::EPOCH)
    }

    async fn asked(address: SocketAddr) -> io::Result<String> {
        let mut stream = TcpStream::connect(address).await?;
        let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        Ok(text)
    }

    #[tokio::test]
    async fn a_closed_door_refuses_and_keeps_its_port() {
        let mut door = Door::new().unwrap();
        let refused = |outcome: io::Result<String>| {
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        };
        refused(asked(door.address()).await);
        for _ in 0..3 {
            door.open(hello).unwrap();
            let text = asked(door.address()).await.unwrap();
            assert!(text.ends_with("hello"), "{text}");
            assert!(
                text.contains("date: Thu, 01 Jan 1970 00:00:00 GMT"),
                "{text}"
            );
            let mut standing = TcpStream::connect(door.address()).await.unwrap();
            standing
                .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                .await
                .unwrap();
            assert!(standing.read_u8().await.is_ok());
            door.close().await;
            let mut rest = Vec::new();
            let ended = tokio::time::timeout(
                std::time::Duration::from_secs(20),
                standing.read_to_end(&mut rest),
            );
            assert!(
                ended.await.is_ok(),
                "the connection stands though the door is closed"
            );
            refused(asked(door.address()).await);
        }
    }
}
