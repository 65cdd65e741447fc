//! nginx: one file of ours for each app, written beside and renamed, tested, reloaded, and seen to be served.
//!
//! A reload says nothing: it ends well where a port is taken, and comes some time after (research, proxy §3). So each
//! file answers to a name of its own with its digest, and what was asked for is served when that digest comes back.

mod folder;
mod inside;
mod render;
mod said;
mod workers;

pub use inside::Inside;
pub use said::complaint;

use super::{Doors, Driver, Installed, ProxyError, Site, SiteName, Standpoint, ask, whole_file};
use folder::{Change, Folder};
use futures_util::{FutureExt, future::BoxFuture};
use inside::Sight;
use render::Dialect;
use said::Said;
use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

/// How long a reload may take to be served. Measured: 27–169 ms; where old workers hold on, more (research, proxy §3).
const SERVED_WITHIN: Duration = Duration::from_secs(10);

/// Between two answers in a row.
const BETWEEN: Duration = Duration::from_millis(3);

/// Between two looks whether it is served.
const LOOK_AGAIN: Duration = Duration::from_millis(15);

/// How many answers in a row have to come from what was written: for a moment workers of before answer beside the new ones.
const IN_A_ROW: u32 = 10;

/// How often a look asks until one does, for the same reason.
const LOOKS: u32 = 5;

/// Its master reads them, as root.
const MODE: u32 = 0o600;

/// What the host file says of nginx.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A folder whose `*.conf` nginx reads within `http`.
    pub directory: PathBuf,
    /// The program with what it needs to know its configuration; `-t` and `-s reload` are added.
    pub command: Vec<String>,
    /// The ports it listens on.
    pub http: u16,
    pub https: u16,
    /// Networks whose word on who asks is believed.
    pub trusted_proxies: Vec<String>,
}

/// An nginx.
#[derive(Debug)]
pub struct Nginx {
    settings: Settings,
    runs: Runs,
}

/// Where it runs.
#[derive(Debug)]
enum Runs {
    Here(Dialect),
    In(Inside),
}

impl Nginx {
    /// Looks which nginx it is.
    ///
    /// # Errors
    /// The program cannot be run.
    pub async fn open(settings: Settings) -> Result<Self, ProxyError> {
        let said = run(&settings.command, &["-v"]).await?.1;
        let dialect = Dialect::of(&said, settings.http, settings.https);
        Ok(Self { settings, runs: Runs::Here(dialect) })
    }

    /// One in a container. Which it is, is looked at when it is told something.
    #[must_use]
    pub fn open_inside(settings: Settings, inside: Inside) -> Self {
        Self { settings, runs: Runs::In(inside) }
    }

    async fn folder(&self) -> Result<Folder<'_>, ProxyError> {
        let (dialect, sight) = match &self.runs {
            Runs::Here(dialect) => (*dialect, Sight::default()),
            Runs::In(inside) => inside.look_closely(self.settings.http, self.settings.https).await?,
        };
        Folder::read(&self.settings, dialect, sight)
    }

    async fn install_site(&self, name: &SiteName, site: &Site) -> Result<(), ProxyError> {
        let _turn = self.turn().await?;
        let changes = self.folder().await?.with(name, site);
        let is_there = changes.iter().all(|change| change.before == change.wanted);
        if is_there && self.is_served(name, changes.first().and_then(|own| own.wanted.as_deref())).await {
            return Ok(());
        }
        put_all(&changes, |change| change.wanted.as_deref())?;
        let said = self.test().await?;
        if let Some(error) = said.refusal(name, site) {
            put_all(&changes, |change| change.before.as_deref())?;
            // Whoever broke it: with the files of before it is as it was.
            let before = self.test().await?;
            return Err(if before.is_well {
                error
            } else {
                ProxyError::Broken { proxy: "nginx", said: before.complaint() }
            });
        }
        match self.take_up(&changes).await {
            Err(error) => {
                put_all(&changes, |change| change.before.as_deref())?;
                drop(self.reload().await);
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// Another process waits until this is let go.
    async fn turn(&self) -> Result<fs::File, ProxyError> {
        let directory = self.settings.directory.clone();
        let lock = move || {
            let folder = fs::File::open(directory)?;
            folder.lock()?;
            Ok(folder)
        };
        // Somebody may hold it for as long as nginx takes: no other app waits with this one.
        let locked = tokio::task::spawn_blocking(lock).await.unwrap_or_else(|ended| Err(io::Error::other(ended)));
        let doing = || format!("lock `{}`", self.settings.directory.display());
        locked.map_err(|source| ProxyError::Files { doing: doing(), source })
    }

    async fn take_up(&self, changes: &[Change]) -> Result<(), ProxyError> {
        let (ended, said) = self.reload().await?;
        let deadline = Instant::now() + SERVED_WITHIN;
        for Change { name, wanted, .. } in changes {
            let deaf = |why: String| ProxyError::Deaf {
                proxy: "nginx",
                site: name.clone(),
                seconds: SERVED_WITHIN.as_secs(),
                why,
            };
            if !ended {
                return Err(deaf(said));
            }
            let mut in_a_row = 0;
            while in_a_row < IN_A_ROW {
                if self.serves(name, wanted.as_deref()).await {
                    in_a_row += 1;
                    sleep(BETWEEN).await;
                    continue;
                }
                in_a_row = 0;
                if Instant::now() >= deadline {
                    return Err(deaf(format!(
                        "port {} of this host answers with an earlier configuration, or not",
                        self.settings.http
                    )));
                }
                sleep(LOOK_AGAIN).await;
            }
        }
        Ok(())
    }

    /// Whether it serves this file: what one worker of before says counts for nothing.
    async fn is_served(&self, name: &SiteName, file: Option<&str>) -> bool {
        for _ in 0..LOOKS {
            if self.serves(name, file).await {
                return true;
            }
            sleep(LOOK_AGAIN).await;
        }
        false
    }

    /// Whether what is asked of it comes from this file.
    async fn serves(&self, name: &SiteName, file: Option<&str>) -> bool {
        let host = render::own_name(name);
        let question = ask::Question { door: self.doors().http, secured: false, host: &host, path: render::GENERATION };
        let answer = ask::ask(question).await;
        let generation = file.and_then(render::generation);
        match (answer, generation) {
            (Ok(answer), Some(generation)) => answer.status == 200 && answer.body == generation,
            (Ok(answer), None) => !(answer.status == 200 && render::is_generation(&answer.body)),
            // Nobody listens: where nothing is to be served, that is as it should be.
            (Err(_), generation) => generation.is_none(),
        }
    }

    async fn test(&self) -> Result<Said, ProxyError> {
        let (is_well, text) = self.run(&["-t", "-q"]).await?;
        Ok(Said { is_well, text })
    }

    async fn reload(&self) -> Result<(bool, String), ProxyError> {
        self.run(&["-s", "reload"]).await
    }

    async fn run(&self, arguments: &[&str]) -> Result<(bool, String), ProxyError> {
        match &self.runs {
            Runs::Here(_) => run(&self.settings.command, arguments).await,
            Runs::In(inside) => inside.run(arguments).await,
        }
    }
}

impl Driver for Nginx {
    fn doors(&self) -> Doors {
        let here = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Doors { http: here(self.settings.http), https: here(self.settings.https) }
    }

    /// It reads them at each request.
    fn users_folder(&self) -> Option<&Path> {
        Some(&self.settings.directory)
    }

    fn readers(&self) -> BoxFuture<'_, Result<Option<String>, ProxyError>> {
        async move {
            match &self.runs {
                Runs::Here(_) => {
                    let (_, said) = self.run(&["-T", "-q"]).await?;
                    Ok(workers::group(&said).map(str::to_owned))
                }
                // The groups of a container have other numbers than those of this host.
                Runs::In(_) => Ok(None),
            }
        }
        .boxed()
    }

    fn standpoint(&self) -> BoxFuture<'_, Result<Standpoint, ProxyError>> {
        async move {
            match &self.runs {
                Runs::Here(_) => Ok(Standpoint::Host),
                Runs::In(inside) => inside.standpoint().await,
            }
        }
        .boxed()
    }

    fn installed<'a>(&'a self, name: &'a SiteName) -> BoxFuture<'a, Result<Option<Installed>, ProxyError>> {
        async move {
            let folder = self.folder().await?;
            let Some(there) = folder.text(name) else { return Ok(None) };
            // What cannot be read any more is ours all the same: it is written anew.
            let altered = folder.wanted(name).as_deref() != Some(there);
            let served = self.is_served(name, Some(there)).await;
            Ok(Some(Installed { site: folder.site(name), altered, served }))
        }
        .boxed()
    }

    fn install<'a>(&'a self, name: &'a SiteName, site: &'a Site) -> BoxFuture<'a, Result<(), ProxyError>> {
        self.install_site(name, site).boxed()
    }
}

impl Dialect {
    fn of(said: &str, http: u16, https: u16) -> Self {
        let (http2_directive, ipv6) = (has_http2_directive(said), Path::new("/proc/net/if_inet6").exists());
        Self { http2_directive, ipv6, http, https }
    }
}

/// From 1.25.1 on HTTP/2 is a directive of its own.
fn has_http2_directive(said: &str) -> bool {
    let version =
        said.split("nginx/").nth(1).and_then(|rest| rest.split(|c: char| c != '.' && !c.is_ascii_digit()).next());
    let mut numbers = version.unwrap_or_default().split('.').map_while(|number| number.parse::<u32>().ok());
    let mut next = || numbers.next().unwrap_or_default();
    (next(), next(), next()) >= (1, 25, 1)
}

/// Runs a program to its end: whether it ended well, and what it said.
async fn run(command: &[String], arguments: &[&str]) -> Result<(bool, String), ProxyError> {
    let doing = || format!("run `{}`", command.join(" "));
    let Some((program, own)) = command.split_first() else {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "no program is named");
        return Err(ProxyError::Files { doing: doing(), source });
    };
    let output = Command::new(program).args(own).args(arguments).kill_on_drop(true).output().await;
    let output = output.map_err(|source| ProxyError::Files { doing: doing(), source })?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

fn read(file: &Path) -> Result<Option<String>, ProxyError> {
    // What is no text was not written by the tool: it is written anew.
    Ok(whole_file::read(file)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

fn put_all(changes: &[Change], content: impl Fn(&Change) -> Option<&str>) -> Result<(), ProxyError> {
    changes.iter().try_for_each(|change| put(&change.file, content(change)))
}

/// Writes a file whole, or removes it.
fn put(file: &Path, content: Option<&str>) -> Result<(), ProxyError> {
    match content {
        Some(content) => whole_file::write(file, content.as_bytes(), MODE),
        None => whole_file::remove(file),
    }
}

#[cfg(test)]
mod tests {
    use super::has_http2_directive;

    #[test]
    fn http2_is_said_as_the_version_wants_it() {
        for (said, wanted) in [
            ("nginx version: nginx/1.22.1\n", false),
            ("nginx version: nginx/1.25.0", false),
            ("nginx version: nginx/1.25.1 (Ubuntu)", true),
            ("nginx version: nginx/1.27.4", true),
            ("nginx version: openresty/1.25.3.1", false),
            ("", false),
        ] {
            assert_eq!(has_http2_directive(said), wanted, "{said}");
        }
    }
}
