//! A server on its own thread.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::net::TcpStream;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_rustls::TlsAcceptor;

use super::connection::{ConnectionAction, ConnectionCommand, serve};
use super::message::Request;
use super::network::{Network, drop_connections, listen, refuse};
use super::tls::Certificates;

/// Handles requests. The future is dropped if the client disconnects.
pub trait Handler: Send + Sync + 'static {
    fn handle(&self, request: Request) -> impl Future<Output = ConnectionAction> + Send;
}

/// A running server. It stops when it is dropped.
pub struct Server {
    address: SocketAddr,
    commands: mpsc::UnboundedSender<(Command, std::sync::mpsc::Sender<()>)>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

enum Command {
    SetNetwork(Network),
    AllConnections(ConnectionCommand),
}

impl Server {
    /// Listens on this port of 127.0.0.1, or on a free port if it is 0. Serves HTTPS if there are
    /// certificates.
    pub fn start<H: Handler>(port: u16, certificates: Option<Certificates>, handler: Arc<H>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let (commands, received) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new().name("stand-in".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    result = accept(listener, address, certificates, handler, received) => {
                        if let Err(error) = result {
                            eprintln!("the stand-in cannot listen: {error}");
                        }
                    }
                }
            });
        })?;
        Ok(Self { address, commands, stop: Some(stop), thread: Some(thread) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what happens to new connections, and returns once the change is in effect.
    pub fn set_network(&self, network: Network) {
        self.execute(Command::SetNetwork(network));
    }

    /// Closes every open connection (FIN).
    pub fn close_connections(&self) {
        self.execute(Command::AllConnections(ConnectionCommand::Close));
    }

    /// Resets every open connection (RST).
    pub fn reset_connections(&self) {
        self.execute(Command::AllConnections(ConnectionCommand::Reset));
    }

    /// Sends bytes on every open connection. A request that is being served is dropped.
    pub fn send_unsolicited(&self, bytes: &[u8]) {
        self.execute(Command::AllConnections(ConnectionCommand::Send(bytes.to_owned())));
    }

    fn execute(&self, command: Command) {
        let (done, wait) = std::sync::mpsc::channel();
        // Both fail only if the thread has ended, and then there are no connections.
        let _ = self.commands.send((command, done));
        let _ = wait.recv();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if the thread has ended already.
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What holds the port.
enum Port {
    Accepting(tokio::net::TcpListener),
    /// Sockets that are only kept open.
    NotAccepting(#[expect(dead_code)] Box<dyn Send>),
}

async fn accept<H: Handler>(
    listener: TcpListener,
    address: SocketAddr,
    certificates: Option<Certificates>,
    handler: Arc<H>,
    mut commands: mpsc::UnboundedReceiver<(Command, std::sync::mpsc::Sender<()>)>,
) -> io::Result<()> {
    let mut port = Port::Accepting(tokio::net::TcpListener::from_std(listener)?);
    let mut network = Network::Normal;
    let (connections, _) = broadcast::channel(16);
    loop {
        let incoming = async {
            match &port {
                Port::Accepting(listener) => listener.accept().await,
                Port::NotAccepting(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some((command, done)) = commands.recv() => {
                match command {
                    Command::SetNetwork(new) => {
                        drop(port);
                        network = new;
                        port = match network {
                            Network::Refuse => Port::NotAccepting(Box::new(refuse(address).await?)),
                            Network::Silent => Port::NotAccepting(Box::new(drop_connections(address).await?)),
                            _ => Port::Accepting(listen(address).await?),
                        };
                    }
                    // This fails only if there are no connections.
                    Command::AllConnections(command) => drop(connections.send(command)),
                }
                let _ = done.send(());
            }
            incoming = incoming => match incoming {
                Ok((stream, _)) => {
                    let acceptor = certificates.as_ref().map(|certificates| certificates.acceptor(network));
                    tokio::spawn(serve_connection(
                        stream, network, acceptor, Arc::clone(&handler), connections.subscribe(),
                    ));
                }
                // Out of file descriptors, or a client that disconnected: try again.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            },
        }
    }
}

async fn serve_connection<H: Handler>(
    stream: TcpStream,
    network: Network,
    acceptor: Option<TlsAcceptor>,
    handler: Arc<H>,
    mut commands: broadcast::Receiver<ConnectionCommand>,
) {
    // With Nagle's algorithm, a client that delays its ACKs waits 40 ms for some responses.
    let _ = stream.set_nodelay(true);
    let Some(stream) = network.apply(stream).await else { return };
    match acceptor {
        None => serve(stream, &*handler, &mut commands).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream, &*handler, &mut commands).await;
            }
        }
    }
}
