//! `/health` and `/metrics`, on loopback only.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use prometheus_client::{encoding::text::encode, metrics::gauge::Gauge, registry::Registry};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::daemon::Node;

/// The server.
pub struct Http {
    /// Where it listens.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Http {
    /// Starts to serve.
    ///
    /// # Errors
    /// Where the address cannot be listened on.
    pub async fn start(address: SocketAddr, node: Arc<Node>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let app = Router::new()
            .route("/health", get(health))
            .route("/metrics", get(metrics))
            .with_state(node);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "the health server ended");
            }
        });
        Ok(Self { address, task })
    }

    /// Stops.
    pub fn stop(self) {
        self.task.abort();
    }
}

/// One line for each component; 503 where one is not well.
async fn health(State(node): State<Arc<Node>>) -> impl IntoResponse {
    let store = &node.ledger.shared().rows().0;
    let storage = store.stats().is_ok() && store.trouble().is_none();
    let network = node
        .network
        .status()
        .await
        .is_ok_and(|status| !status.listening.is_empty());
    let disk = node.disk_free() > 100 << 20;
    let ledger = node
        .ledger
        .run(|_| Ok::<(), std::convert::Infallible>(()))
        .await
        .is_ok();
    let all = [
        ("ledger", ledger),
        ("storage", storage),
        ("network", network),
        ("disk", disk),
    ];
    let status = if all.iter().all(|(_, good)| *good) {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body: String = all
        .iter()
        .map(|(name, good)| format!("{name} {}\n", if *good { "ok" } else { "not well" }))
        .collect();
    (
        status,
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
        body,
    )
}

async fn metrics(State(node): State<Arc<Node>>) -> impl IntoResponse {
    let mut registry = Registry::with_prefix("maillon");
    let mut gauge = |name: &str, help: &str, value: u64| {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    };
    let shared = node.ledger.shared();
    gauge("circles", "Circles held", shared.circles().len() as u64);
    gauge("records", "Records held", shared.records());
    gauge(
        "refused_from_peers",
        "Things sent by peers that were refused since the start",
        node.scores.problems(),
    );
    gauge(
        "disk_free_bytes",
        "Free bytes on the data folder's disk",
        node.disk_free(),
    );
    if let Ok(status) = node.network.status().await {
        gauge(
            "connections",
            "Connections that stand",
            status.connections as u64,
        );
        gauge(
            "strangers_refused",
            "Strangers refused since the start",
            status.strangers_refused,
        );
        gauge(
            "connections_limited",
            "Connections refused because of a limit",
            status.limited,
        );
        let relayed = status.nodes.iter().filter_map(|node| node.connected);
        gauge(
            "connections_relayed",
            "Nodes that are reached through a relay",
            relayed.filter(|way| way.via.is_relayed()).count() as u64,
        );
        let held = status.relays.iter().filter(|relay| relay.held.is_some());
        gauge(
            "relays_used",
            "Relays that this node is told to use",
            status.relays.len() as u64,
        );
        gauge(
            "relays_held",
            "Relays at which this node holds a place",
            held.count() as u64,
        );
        let (frames_in, frames_out, bytes_in, bytes_out) =
            status
                .nodes
                .iter()
                .fold((0, 0, 0, 0), |sum: (u64, u64, u64, u64), node| {
                    (
                        sum.0 + node.frames.frames_in,
                        sum.1 + node.frames.frames_out,
                        sum.2 + node.frames.bytes_in,
                        sum.3 + node.frames.bytes_out,
                    )
                });
        gauge("sync_frames_in", "Sync frames received", frames_in);
        gauge("sync_frames_out", "Sync frames sent", frames_out);
        gauge("sync_bytes_in", "Sync bytes received", bytes_in);
        gauge("sync_bytes_out", "Sync bytes sent", bytes_out);
    }
    if let Some(relay) = node.hosted_relay() {
        let refused = relay.refused;
        for (name, help, value) in [
            (
                "relay_places",
                "Nodes that hold a place at the relay of this node",
                relay.reservations as u64,
            ),
            (
                "relay_circuits",
                "Circuits that it passes on",
                relay.circuits as u64,
            ),
            (
                "relay_circuits_so_far",
                "Circuits since the start",
                relay.circuits_so_far,
            ),
            (
                "relay_bytes",
                "Bytes that nodes have sent into it since the start",
                relay.bytes,
            ),
            (
                "relay_ended_by_bytes",
                "Circuits that ended because their bytes were used up",
                relay.ended_by_bytes,
            ),
            (
                "relay_ended_by_time",
                "Circuits that ended because their time was over",
                relay.ended_by_time,
            ),
            (
                "relay_refused_strangers",
                "Connections of nodes that it does not serve, refused",
                refused.strangers,
            ),
            (
                "relay_refused_connections",
                "Connections beyond a limit, refused",
                refused.connections,
            ),
            (
                "relay_refused_places",
                "Places beyond the limit, refused",
                refused.reservations,
            ),
            (
                "relay_refused_circuits",
                "Circuits beyond a limit, refused",
                refused.circuits,
            ),
            (
                "relay_refused_not_there",
                "Circuits to a node without a place there, refused",
                refused.not_there,
            ),
            (
                "relay_refused_not_taken",
                "Circuits that the node at the other end did not take",
                refused.not_taken,
            ),
        ] {
            gauge(name, help, value);
        }
    }
    if let Ok(stats) = shared.rows().0.stats() {
        gauge(
            "store_file_bytes",
            "Bytes of the database's files",
            stats.file_bytes(),
        );
        gauge(
            "store_wal_bytes",
            "Bytes of the write-ahead log",
            stats.wal_bytes,
        );
        gauge(
            "store_wal_syncs",
            "Syncs of the write-ahead log since the start",
            stats.wal_syncs,
        );
        gauge(
            "store_memtable_bytes",
            "Bytes in memtables",
            stats.memtable_bytes(),
        );
    }
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => (
            StatusCode::OK,
            [(
                header::CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )],
            text,
        ),
        Err(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
            "the metrics could not be written\n".to_owned(),
        ),
    }
}
