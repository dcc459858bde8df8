//! A server on a thread of its own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::net::TcpStream;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_rustls::TlsAcceptor;

use super::connection::{Reply, serve};
use super::message::Request;
use super::network::{Network, fall_silent, listen, refuse};
use super::tls::Identity;

/// Answers requests. The future is dropped when the client goes away.
pub trait Handler: Send + Sync + 'static {
    fn handle(&self, request: Request) -> impl Future<Output = Reply> + Send;
}

/// Serves until it is dropped.
pub struct Server {
    address: SocketAddr,
    orders: mpsc::UnboundedSender<(Order, std::sync::mpsc::Sender<()>)>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy)]
enum Order {
    Network(Network),
    EndConnections { reset: bool },
}

impl Server {
    /// Listens on 127.0.0.1 and this port, 0 for a free one; over TLS with this identity.
    pub fn start<H: Handler>(port: u16, tls: Option<Identity>, handler: Arc<H>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let (orders, ordered) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new().name("stand-in".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    result = accept(listener, address, tls, handler, ordered) => {
                        if let Err(error) = result {
                            eprintln!("the stand-in cannot listen: {error}");
                        }
                    }
                }
            });
        })?;
        Ok(Self { address, orders, stop: Some(stop), thread: Some(thread) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns once it is so.
    pub fn network(&self, network: Network) {
        self.order(Order::Network(network));
    }

    /// Returns once it is done.
    pub fn end_connections(&self, reset: bool) {
        self.order(Order::EndConnections { reset });
    }

    fn order(&self, order: Order) {
        let (done, wait) = std::sync::mpsc::channel();
        // Either can only fail because the thread has ended, and then there is no network at all.
        let _ = self.orders.send((order, done));
        let _ = wait.recv();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either can only fail because the thread has ended already.
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
    Served(tokio::net::TcpListener),
    /// Held for its end.
    Unserved(#[expect(dead_code)] Box<dyn Send>),
}

async fn accept<H: Handler>(
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Identity>,
    handler: Arc<H>,
    mut orders: mpsc::UnboundedReceiver<(Order, std::sync::mpsc::Sender<()>)>,
) -> io::Result<()> {
    let mut port = Port::Served(tokio::net::TcpListener::from_std(listener)?);
    let mut network = Network::Fine;
    let (end, _) = broadcast::channel(1);
    loop {
        let incoming = async {
            match &port {
                Port::Served(listener) => listener.accept().await,
                Port::Unserved(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some((order, done)) = orders.recv() => {
                match order {
                    Order::Network(new) => {
                        drop(port);
                        network = new;
                        port = match network {
                            Network::Refuse => Port::Unserved(Box::new(refuse(address).await?)),
                            Network::Silent => Port::Unserved(Box::new(fall_silent(address).await?)),
                            _ => Port::Served(listen(address).await?),
                        };
                    }
                    // An error says that there are no connections.
                    Order::EndConnections { reset } => drop(end.send(reset)),
                }
                let _ = done.send(());
            }
            incoming = incoming => match incoming {
                Ok((stream, _)) => {
                    let acceptor = tls.as_ref().map(|identity| identity.acceptor(network));
                    tokio::spawn(welcome(stream, network, acceptor, Arc::clone(&handler), end.subscribe()));
                }
                // Out of file descriptors, or a client that is gone already: the next may fare better.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            },
        }
    }
}

async fn welcome<H: Handler>(
    stream: TcpStream,
    network: Network,
    tls: Option<TlsAcceptor>,
    handler: Arc<H>,
    mut end: broadcast::Receiver<bool>,
) {
    // Without it a client that delays its ACKs sees 40 ms more on some answers.
    let _ = stream.set_nodelay(true);
    let Some(stream) = network.spoil(stream).await else { return };
    match tls {
        None => serve(stream, &*handler, &mut end).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, &*handler, &mut end).await;
            }
        }
    }
}
