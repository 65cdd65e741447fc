//! Apps as other apps name them.

use super::{
    AppName, EnvironmentName,
    text::{BadValue, text_form},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An app of the same environment or of another: `database`, `staging/proxy`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppPath {
    /// None: that of the app which says this.
    pub environment: Option<EnvironmentName>,
    pub app: AppName,
}

impl AppPath {
    /// The app that is meant where an app of this environment says it.
    #[must_use]
    pub fn seen_from(&self, environment: &EnvironmentName) -> AppId {
        let environment = self.environment.as_ref().unwrap_or(environment);
        AppId { environment: environment.clone(), app: self.app.clone() }
    }
}

impl FromStr for AppPath {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let (environment, app) = text.split_once('/').map_or((None, text), |(of, app)| (Some(of), app));
        let bad = |_| BadValue::new("an app", text, "write `app`, or `environment/app` for one of another environment");
        Ok(Self { environment: environment.map(str::parse).transpose().map_err(bad)?, app: app.parse().map_err(bad)? })
    }
}

impl fmt::Display for AppPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.environment {
            Some(environment) => write!(f, "{environment}/{}", self.app),
            None => self.app.fmt(f),
        }
    }
}

text_form!(
    AppPath,
    "app-path",
    "App",
    "^([a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?/)?[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?$",
    ["database", "staging/proxy"]
);

/// One app of all those on a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AppId {
    pub environment: EnvironmentName,
    pub app: AppName,
}

impl AppId {
    /// The app of that name in that environment.
    #[must_use]
    pub fn new(environment: &EnvironmentName, app: &AppName) -> Self {
        Self { environment: environment.clone(), app: app.clone() }
    }

    /// Its name as an app of this environment says it: `database`, `staging/proxy`.
    #[must_use]
    pub fn seen_from(&self, environment: &EnvironmentName) -> AppPath {
        let elsewhere = (self.environment != *environment).then(|| self.environment.clone());
        AppPath { environment: elsewhere, app: self.app.clone() }
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.environment, self.app)
    }
}
