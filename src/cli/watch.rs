//! `watch`: stay, notice, converge, repair.

use super::{Complaint, Verdict, arguments::Global, branch::SessionBranch, interruption, session::Session};
use crate::{
    engine::docker::Docker,
    notice::{Known, Notices, Pace},
    pass::{Ending, Host, held},
    record::Ledger,
    server::{self, Board, Hook, HookError},
    value::{AbsolutePath, EnvironmentName, ListenAddress},
    watch::{
        Daemon,
        pace::{doubled, jittered},
        service,
        told::Told,
    },
};
use clap::Args;
use std::{error::Error, future::Future, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, watch},
    time::{interval, sleep},
};

/// The first and the longest wait for an engine or a source that is not there when the daemon begins.
const AWAY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Stays: converges at every push, and puts right what is changed by hand.
///
/// It follows the branch, hears the engine's events, and runs each app's pass when something asks for it. SIGHUP reads
/// the host file again; SIGTERM ends it after the step in hand, and leaves every container as it is.
#[derive(Debug, Args)]
pub struct Watch {}

/// How long the daemon's loop may be silent before `/healthz` says so.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a daemon begins with.
struct Beginning {
    session: Arc<Session>,
    ledger: Ledger,
}

impl Beginning {
    /// Reads the host file and opens the record: what makes a host file good.
    async fn of(global: &Global) -> Result<Self, Complaint> {
        let session = Arc::new(Session::begin(global)?);
        let ledger = session.writing().await?;
        Ok(Self { session, ledger })
    }
}

impl Watch {
    /// Works until a signal ends it.
    ///
    /// # Errors
    /// The host file is wrong, or the record cannot be opened. What goes wrong later is told in the log, and tried again.
    pub async fn run(&self, global: &Global) -> Result<Verdict, Complaint> {
        let ending = interruption::listen_in_silence()?;
        let mut reload = signal(SignalKind::hangup())?;
        let (mut next, mut known) = (Some(Beginning::of(global).await?), Known::default());
        tokio::spawn(keep_alive());
        while let Some(beginning) = next {
            // The service is up as soon as it can do its work; the engine and the source may be long in coming.
            service::ready("waiting for the engine and the source");
            (next, known) = work(beginning, known, global, &mut reload, ending.clone()).await?;
        }
        Ok(Verdict::Done)
    }
}

/// One daemon's life, until it is asked to end or a good host file was read anew, with which the next one begins.
async fn work(
    beginning: Beginning,
    known: Known,
    global: &Global,
    reload: &mut Signal,
    mut ending: Ending,
) -> Result<(Option<Beginning>, Known), Complaint> {
    let (stop, stopped) = watch::channel(false);
    let daemon = live(beginning, known, stopped);
    tokio::pin!(daemon);
    let mut next = None;
    let known = loop {
        tokio::select! {
            known = &mut daemon => break known?,
            _ = ending.wait_for(|asked| *asked), if !*stop.borrow() => {
                tracing::info!("stopping: the steps in hand are finished first; once more stops at once");
                service::stopping();
                stop.send_replace(true);
            }
            Some(()) = reload.recv() => {
                service::reloading();
                match Beginning::of(global).await {
                    Ok(beginning) => {
                        tracing::info!("the host file is read again");
                        next = Some(beginning);
                        stop.send_replace(true);
                    }
                    Err(complaint) => {
                        let (reason, hint) = complaint.in_a_line();
                        tracing::error!(reason, hint, "the host file is refused, the one before stays in force");
                        service::ready("the host file is refused, the one before stays in force");
                    }
                }
            }
        }
    };
    Ok((next.filter(|_| !*ending.borrow()), known))
}

/// Waits for the engine and the source, and then works. Tells what people know at the end.
async fn live(beginning: Beginning, known: Known, ending: Ending) -> Result<Known, Complaint> {
    let Beginning { session, ledger } = beginning;
    let settings = &session.host.settings;
    let (board, nudge) = (Board::new(PATIENCE), Arc::new(Notify::new()));
    let beats = tokio::spawn(beat(Arc::clone(&board)));
    let server = settings.listen.map(|address| {
        let (secret, board, nudge) = (settings.webhook.secret_file.clone(), Arc::clone(&board), Arc::clone(&nudge));
        tokio::spawn(answer(address, secret, board, nudge, ending.clone()))
    });
    let host = patiently("the engine", &ending, || session.host(ledger.clone())).await;
    if let Some(host) = &host {
        held::bring_back(host).await;
    }
    let environments = patiently("the source", &ending, || environments(&session)).await;
    let mut known = known;
    if let (Some(host), Some(environments)) = (host, environments) {
        tell(&session, &host, &environments);
        let notices = Notices::begin(&settings.notify, &host.hands.info.host, Pace::default()).knowing(known);
        let told = Arc::new(Told::new(board, notices, &environments));
        let daemon = Daemon {
            branch: Arc::new(SessionBranch::new(Arc::clone(&session), ledger, environments.clone())),
            host: Arc::new(host),
            environments,
            told: Arc::clone(&told),
            poll: session.poll(),
            nudge,
        };
        daemon.run(ending).await;
        known = told.known();
        if let Some(told) = Arc::into_inner(told) {
            told.end().await;
        }
    }
    beats.abort();
    if let Some(server) = server {
        server.await?;
    }
    Ok(known)
}

/// Answers at an address. Where that is taken the daemon works all the same, and tries again.
async fn answer(
    address: ListenAddress,
    secret_file: Option<AbsolutePath>,
    board: Arc<Board>,
    nudge: Arc<Notify>,
    ending: Ending,
) {
    let hook = secret_file.and_then(|file| {
        let told = |error: &HookError| {
            tracing::error!(error = error as &dyn Error, hint = error.hint(), "no webhook is taken");
        };
        Hook::read(&file, nudge).inspect_err(told).ok()
    });
    let opened = patiently("its address", &ending, || async {
        TcpListener::bind(address.0).await.map_err(|error| {
            Complaint::about(format!("cannot listen at `{address}`"), error)
                .with_hint("`listen` in the host file names another address".to_owned())
        })
    });
    if let Some(listener) = opened.await {
        server::serve(listener, board, hook, ending).await;
    }
}

fn tell(session: &Session, host: &Host<Docker>, environments: &[EnvironmentName]) {
    let info = &host.hands.info;
    let names: Vec<_> = environments.iter().map(ToString::to_string).collect();
    let engine = format!("{:?} {} at {}", info.kind, info.version, host.settings.engine).to_lowercase();
    tracing::info!(engine, source = session.settings.source, environments = names.join(", "), "watching");
    service::ready(&format!("watching {}", names.join(", ")));
}

/// Those that were named, or the only one the branch has.
async fn environments(session: &Arc<Session>) -> Result<Vec<EnvironmentName>, Complaint> {
    let session = Arc::clone(session);
    tokio::task::spawn_blocking(move || session.environments()).await?
}

/// Tries until it succeeds; none when the tool is asked to end before.
async fn patiently<T, F: Future<Output = Result<T, Complaint>>>(
    what: &str,
    ending: &Ending,
    attempt: impl Fn() -> F,
) -> Option<T> {
    let mut ending = ending.clone();
    for failures in 0.. {
        let complaint = tokio::select! {
            tried = attempt() => match tried {
                Ok(found) => return Some(found),
                Err(complaint) => complaint,
            },
            _ = ending.wait_for(|asked| *asked) => return None,
        };
        let (reason, hint) = complaint.in_a_line();
        if failures == 0 {
            tracing::warn!(reason, hint, "waiting for {what}");
        } else {
            tracing::debug!(reason, "still waiting for {what}");
        }
        tokio::select! {
            () = sleep(jittered(doubled(AWAY.0, failures, AWAY.1), fastrand::f64())) => {}
            _ = ending.wait_for(|asked| *asked) => return None,
        }
    }
    None
}

/// The daemon's own threads make progress.
async fn beat(board: Arc<Board>) {
    let mut beat = interval(PATIENCE / 6);
    loop {
        beat.tick().await;
        board.beat();
    }
}

/// Tells the service manager that the daemon is alive, as often as it asks for that.
async fn keep_alive() {
    let Some(period) = service::watchdog() else { return };
    let mut beat = interval(period);
    loop {
        beat.tick().await;
        service::alive();
    }
}
