//! Connections: TLS, HTTP/1.1 and HTTP/2, as many as a node bears.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower::Service as _;

use super::{Site, crowd::Crowd, router, tls};
use crate::daemon::Node;

/// Connections at one time; more wait at the system's door.
const CONNECTIONS: usize = 2_000;
/// For a handshake, and for the head of a request.
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEAD: Duration = Duration::from_secs(15);
/// For what is under way when the node stops.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// How browsers reach these pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Way {
    /// Whether browsers speak TLS to the node or to a proxy before it.
    pub(crate) secure: bool,
    /// The port where it is not, so that two nodes on one machine have cookies of their own.
    pub(crate) port: u16,
    /// The proxy's address, whose word about the browser's is taken.
    pub(crate) proxy: Option<IpAddr>,
}

/// Where the pages are served from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Certificate chain and key, PEM; none: plain HTTP, on loopback or behind the proxy only.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// The proxy that speaks TLS with browsers.
    pub proxy: Option<IpAddr>,
}

/// Why there are no pages.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The address.
    #[error("the pages cannot be served on {address}: {cause}; give [web] listen another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// Certificate or key.
    #[error("{path}: {cause}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        cause: String,
    },
    /// Health data would travel in the clear.
    #[error(
        "[web] listens on {0} without a certificate: name `certificate` and `key`, listen on a loopback address, or name the `proxy` that speaks TLS before it"
    )]
    Clear(SocketAddr),
}

/// The server of pages.
pub struct Web {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether it speaks TLS itself.
    pub tls: bool,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Web {
    /// Starts to serve.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn start(settings: &Settings, node: Arc<Node>) -> Result<Self, WebError> {
        let address = settings.listen;
        let acceptor = settings
            .certificate
            .as_ref()
            .map(|(chain, key)| tls::acceptor(chain, key))
            .transpose()?;
        if acceptor.is_none() && settings.proxy.is_none() && !address.ip().is_loopback() {
            return Err(WebError::Clear(address));
        }
        let cannot = |cause| WebError::Listen { address, cause };
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let way = Way {
            secure: acceptor.is_some() || settings.proxy.is_some(),
            port: address.port(),
            proxy: settings.proxy,
        };
        let tls = acceptor.is_some();
        let (stop, stopped) = watch::channel(false);
        let app = router(Site {
            node,
            way,
            streams: Arc::default(),
            sent: Arc::default(),
            stopped: stopped.clone(),
        });
        let task = tokio::spawn(listen(listener, acceptor, app, settings.proxy, stopped));
        Ok(Self {
            address,
            tls,
            stop,
            task,
        })
    }

    /// Its address, as a browser on this machine takes it.
    pub fn origin(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Stops: nothing new is taken, and what is under way has a moment.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if timeout(LAST_WORDS * 2, self.task).await.is_err() {
            tracing::warn!("the pages' connections did not end in time");
        }
    }
}

async fn listen(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    app: axum::Router,
    proxy: Option<IpAddr>,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let crowd = Arc::new(Crowd::default());
    let graceful = GracefulShutdown::new();
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            _ = stopped.changed() => break,
        };
        let Ok(place) = place else { break };
        let (stream, from) = tokio::select! {
            taken = listener.accept() => match taken {
                Ok(taken) => taken,
                Err(error) => {
                    // Such as too many open files: it passes.
                    tracing::warn!(%error, "a connection to the pages could not be taken");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    continue;
                }
            },
            _ = stopped.changed() => break,
        };
        // In the clear, only the proxy is spoken to, and this machine.
        let near = from.ip().to_canonical();
        let named = proxy.map(|proxy| proxy.to_canonical());
        if acceptor.is_none() && !near.is_loopback() && named != Some(near) {
            continue;
        }
        let Some(there) = crowd.enter(near, named) else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (app, acceptor, watcher) = (app.clone(), acceptor.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _places = (place, there);
            match acceptor {
                None => speak(stream, from, app, watcher, false).await,
                Some(acceptor) => {
                    if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
                        let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                        speak(stream, from, app, watcher, h2).await;
                    }
                }
            }
        });
    }
    drop(listener);
    let _ = timeout(LAST_WORDS, graceful.shutdown()).await;
}

async fn speak<S>(
    stream: S,
    from: SocketAddr,
    app: axum::Router,
    watcher: hyper_util::server::graceful::Watcher,
    h2: bool,
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let mut service = app.into_make_service_with_connect_info::<SocketAddr>();
    let Ok(service) = service.call(from).await;
    // One or the other, as was agreed: who says nothing at all is not waited for longer than for a request's head.
    let mut builder = Builder::new(TokioExecutor::new());
    builder = if h2 {
        builder.http2_only()
    } else {
        builder.http1_only()
    };
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(64)
        .keep_alive_interval(Duration::from_secs(30));
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    // Browsers come and go; what went wrong with a connection is theirs to repeat.
    let _ = watcher.watch(connection.into_owned()).await;
}
