//! nginx: one file of ours for each app, written beside and renamed, tested, reloaded, and seen to be served.
//!
//! A reload says nothing: it ends well where a port is taken, and comes some time after (research, proxy §3). So each
//! file answers to a name of its own with its digest, and what was asked for is served when that digest comes back.

mod render;

use super::{Doors, Driver, Installed, ProxyError, Site, SiteName, ask};
use crate::desired::Route;
use futures_util::{FutureExt, future::BoxFuture};
use render::Dialect;
use std::{
    fs,
    io::{self, Write},
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

/// nginx on this host.
#[derive(Debug)]
pub struct Nginx {
    settings: Settings,
    dialect: Dialect,
}

impl Nginx {
    /// Looks which nginx it is.
    ///
    /// # Errors
    /// The program cannot be run.
    pub async fn open(settings: Settings) -> Result<Self, ProxyError> {
        let said = run(&settings.command, &["-v"]).await?.1;
        let dialect =
            Dialect { http2_directive: has_http2_directive(&said), ipv6: Path::new("/proc/net/if_inet6").exists() };
        Ok(Self { settings, dialect })
    }

    fn file(&self, name: &SiteName) -> PathBuf {
        self.settings.directory.join(format!("reconcile-{}.{}.conf", name.environment, name.app))
    }

    async fn install_site(&self, name: &SiteName, site: &Site) -> Result<(), ProxyError> {
        let file = self.file(name);
        let before = read(&file)?;
        let wanted = (!site.routes.is_empty()).then(|| render::file(name, site, &self.settings, self.dialect));
        if before == wanted && self.is_served(name, wanted.as_deref()).await {
            return Ok(());
        }
        put(&file, wanted.as_deref())?;
        if let Err(said) = self.test().await? {
            put(&file, before.as_deref())?;
            // Whoever broke it: with the file of before it is as it was.
            return Err(match self.test().await? {
                Ok(()) => ProxyError::Refused { proxy: "nginx", site: name.clone(), said },
                Err(said) => ProxyError::Broken { proxy: "nginx", said },
            });
        }
        match self.take_up(name, wanted.as_deref()).await {
            Err(error) => {
                put(&file, before.as_deref())?;
                drop(self.run("-s").await);
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    async fn take_up(&self, name: &SiteName, wanted: Option<&str>) -> Result<(), ProxyError> {
        let (ended, said) = self.run("-s").await?;
        let deaf = |why: String| ProxyError::Deaf {
            proxy: "nginx",
            site: name.clone(),
            seconds: SERVED_WITHIN.as_secs(),
            why,
        };
        if !ended {
            return Err(deaf(said));
        }
        let deadline = Instant::now() + SERVED_WITHIN;
        let mut in_a_row = 0;
        while in_a_row < IN_A_ROW {
            if self.serves(name, wanted).await {
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

    async fn test(&self) -> Result<Result<(), String>, ProxyError> {
        let (is_well, said) = run(&self.settings.command, &["-t", "-q"]).await?;
        Ok(if is_well { Ok(()) } else { Err(complaint(&said)) })
    }

    async fn run(&self, signal: &str) -> Result<(bool, String), ProxyError> {
        run(&self.settings.command, &[signal, "reload"]).await
    }
}

impl Driver for Nginx {
    fn doors(&self) -> Doors {
        let here = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Doors { http: here(self.settings.http), https: here(self.settings.https) }
    }

    fn not_yet(&self, route: &Route) -> Option<&'static str> {
        route.basic_auth.as_ref().map(|_| "basic_auth")
    }

    fn installed<'a>(&'a self, name: &'a SiteName) -> BoxFuture<'a, Result<Option<Installed>, ProxyError>> {
        async move {
            let Some(there) = read(&self.file(name))? else { return Ok(None) };
            // What cannot be read any more is ours all the same: it is written anew.
            let site = render::site(&there).unwrap_or_default();
            let altered = render::file(name, &site, &self.settings, self.dialect) != there;
            let served = self.is_served(name, Some(&there)).await;
            Ok(Some(Installed { site, altered, served }))
        }
        .boxed()
    }

    fn install<'a>(&'a self, name: &'a SiteName, site: &'a Site) -> BoxFuture<'a, Result<(), ProxyError>> {
        self.install_site(name, site).boxed()
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

/// The lines that say what is wrong, without the time and the process.
fn complaint(said: &str) -> String {
    let grave = |line: &&str| line.contains("[emerg]") || line.contains("[alert]") || line.contains("[crit]");
    let is_process = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'#');
    let bare = |line: &str| {
        let text = line.split_once("] ").map_or(line, |(_, rest)| rest);
        text.split_once(": ").filter(|(word, _)| is_process(word)).map_or(text, |(_, rest)| rest).to_owned()
    };
    let lines: Vec<String> = said.lines().filter(grave).map(bare).collect();
    if lines.is_empty() { said.trim().to_owned() } else { lines.join("; ") }
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
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ProxyError::Files { doing: format!("read `{}`", file.display()), source }),
    }
}

/// Writes a file whole, or removes it.
fn put(file: &Path, content: Option<&str>) -> Result<(), ProxyError> {
    let written = match content {
        Some(content) => write(file, content),
        None => match fs::remove_file(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        },
    };
    written.map_err(|source| ProxyError::Files { doing: format!("write `{}`", file.display()), source })
}

fn write(file: &Path, content: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    // No `.conf` at its end: nginx does not read it while it is being written.
    let mut beside = tempfile::Builder::new().prefix(".reconcile-").suffix(".new").tempfile_in(folder)?;
    beside.write_all(content.as_bytes())?;
    beside.as_file().sync_all()?;
    beside.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{complaint, has_http2_directive};

    #[test]
    fn what_nginx_says_is_told_without_time_and_process() {
        let said = "2026/11/29 02:47:54 [emerg] 25051#25051: host not found in \"x\" of the \"listen\" directive in /a:1\n\
                    nginx: configuration file /b test failed\n";
        assert_eq!(complaint(said), "host not found in \"x\" of the \"listen\" directive in /a:1");
        assert_eq!(complaint("nginx: [emerg] unknown directive \"a\" in /b:1\n"), "unknown directive \"a\" in /b:1");
        assert_eq!(complaint("not found\n"), "not found");
    }

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
