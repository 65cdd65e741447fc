//! An nginx in a container: it is told there, and reaches services on the networks that both are on.

use super::Dialect;
use crate::proxy::{CertificateFiles, Containers, ProxyError, Site, SiteName, Standpoint, containers::Neighbour};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Folders of this host with where they are seen, what counts first before.
#[derive(Clone, Debug, Default)]
pub struct Sight(Vec<(PathBuf, PathBuf)>);

impl Sight {
    /// All routes, with their files where nginx sees them.
    pub fn of_all(&self, sites: &BTreeMap<SiteName, Site>) -> BTreeMap<SiteName, Site> {
        let mut seen = sites.clone();
        for served in seen.values_mut().flat_map(|site| site.routes.values_mut()) {
            served.users = served.users.as_deref().map(|file| self.of(file));
            if let Some(CertificateFiles { chain, key, .. }) = &mut served.certificate {
                (*chain, *key) = (self.of(chain), self.of(key));
            }
        }
        seen
    }

    fn of(&self, file: &Path) -> PathBuf {
        let seen = |(here, there): &(PathBuf, PathBuf)| Some(there.join(file.strip_prefix(here).ok()?));
        self.0.iter().find_map(seen).unwrap_or_else(|| file.to_owned())
    }
}

/// The container, and what it sees otherwise than this host.
#[derive(Debug)]
pub struct Inside {
    container: String,
    containers: Arc<dyn Containers>,
    /// A folder of this host, and where nginx sees it.
    certificates: Option<(PathBuf, PathBuf)>,
    /// What was said by which container: another one may be another release.
    known: Mutex<Option<(String, Dialect)>>,
}

impl Inside {
    #[must_use]
    pub fn new(container: String, containers: Arc<dyn Containers>, certificates: Option<(PathBuf, PathBuf)>) -> Self {
        Self { container, containers, certificates, known: Mutex::default() }
    }

    pub async fn run(&self, arguments: &[&str]) -> Result<(bool, String), ProxyError> {
        let command = [&["nginx"], arguments].concat();
        let ran = self.containers.run(&self.container, &command).await?;
        Ok((ran.ended_well, ran.said))
    }

    /// Which nginx it is, and where it sees the files of this host.
    pub async fn look_closely(&self, http: u16, https: u16) -> Result<(Dialect, Sight), ProxyError> {
        let seen = self.look().await?;
        let sight = Sight(self.certificates.iter().cloned().chain(seen.mounts.clone()).collect());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, dialect)) = known.filter(|(id, _)| *id == seen.id) {
            return Ok((dialect, sight));
        }
        let (_, said) = self.run(&["-v"]).await?;
        let inside = |port| seen.published.get(&port).copied().unwrap_or(port);
        let dialect = Dialect::of(&said, inside(http), inside(https));
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((seen.id, dialect));
        Ok((dialect, sight))
    }

    pub async fn standpoint(&self) -> Result<Standpoint, ProxyError> {
        let seen = self.look().await?;
        Ok(if seen.is_on_the_host { Standpoint::Host } else { Standpoint::On(seen.networks.into_keys().collect()) })
    }

    async fn look(&self) -> Result<Neighbour, ProxyError> {
        let unfit = |what: String| ProxyError::Unfit {
            what,
            hint: format!(
                "start it, or say in the host file (`proxy: {{container: …}}`) which container nginx is in; it was `{}`",
                self.container
            ),
        };
        match self.containers.look(&self.container).await? {
            Some(seen) if seen.runs => Ok(seen),
            Some(_) => Err(unfit(format!("nginx does not run: container `{}` is stopped", self.container))),
            None => Err(unfit(format!("there is no container `{}`, in which nginx should be", self.container))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_seen_where_its_folder_is_and_the_host_files_word_counts_first() {
        let pair = |here: &str, there: &str| (PathBuf::from(here), PathBuf::from(there));
        let sight = Sight(vec![pair("/state/certs", "/etc/nginx/certs"), pair("/state", "/state-of-host")]);
        for (here, there) in [
            ("/state/certs/web/chain.pem", "/etc/nginx/certs/web/chain.pem"),
            ("/state/users/a", "/state-of-host/users/a"),
            ("/state-other/a", "/state-other/a"),
        ] {
            assert_eq!(sight.of(Path::new(here)), PathBuf::from(there));
        }
    }
}
