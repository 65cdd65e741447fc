//! The listener: few connections, one request each, and a deadline over all of it.

use super::{Board, Hook, answer};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

/// What a client may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Whoever comes when so many are here waits in the system's queue.
    pub connections: usize,
    /// How long the head of a request may take.
    pub head: Duration,
    /// How long everything may take: slow senders and slow readers end here.
    pub whole: Duration,
    /// How long those that are being answered when the end comes may still take.
    pub last: Duration,
}

const LIMITS: Limits = Limits {
    connections: 64,
    head: Duration::from_secs(5),
    whole: Duration::from_secs(15),
    last: Duration::from_secs(3),
};

/// The largest head of a request, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;
/// After a failed accept, which usually means that files have run out.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers until `ending` is true, or its other side is gone.
pub async fn serve(listener: TcpListener, board: Arc<Board>, hook: Option<Hook>, ending: watch::Receiver<bool>) {
    serve_within(LIMITS, listener, board, hook, ending).await;
}

/// The same within other limits.
pub(super) async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    board: Arc<Board>,
    hook: Option<Hook>,
    mut ending: watch::Receiver<bool>,
) {
    let hook = hook.map(Arc::new);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = over(&mut ending) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if connections.len() < limits.connections => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(limits, stream, Arc::clone(&board), hook.clone(), ending.clone()));
                }
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let rest = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.last, rest).await.is_err() {
        tracing::debug!("connections were cut at the end");
    }
}

/// Waits for the end; nobody who could tell it is the end too.
async fn over(ending: &mut watch::Receiver<bool>) {
    let _ = ending.wait_for(|ending| *ending).await;
}

async fn connection(
    limits: Limits,
    stream: TcpStream,
    board: Arc<Board>,
    hook: Option<Arc<Hook>>,
    mut ending: watch::Receiver<bool>,
) {
    let service = service_fn(|request| {
        let (board, hook) = (&board, hook.as_deref());
        async move { Ok::<_, Infallible>(answer::answer(request, board, hook).await) }
    });
    // Nobody asks so often that a connection is worth keeping, and one request has one deadline.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let answered = timeout(limits.whole, async {
        tokio::select! {
            done = connection.as_mut() => done,
            () = over(&mut ending) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    });
    match answered.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("a connection ended early: {error}"),
        Err(_) => tracing::debug!("a client was too slow"),
    }
}
