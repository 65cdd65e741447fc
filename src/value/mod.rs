//! Values that are parsed once and cannot be wrong afterwards.
//!
//! Each type here has one textual form, used by the manifest, the host file and the command line alike. `check_format`
//! is how the shape check of `yaml` judges a scalar whose schema names a format.

pub mod allowance;
pub mod backup;
mod bucket;
pub mod client;
pub mod delivered;
pub mod directory;
pub mod duration;
pub mod header;
pub mod host;
pub mod host_glob;
pub mod image;
pub mod location;
pub mod mount;
pub mod name;
pub mod net;
pub mod place;
pub mod policy;
pub mod port;
pub mod process;
pub mod registry;
pub mod schedule;
pub mod size;
pub mod template;
pub mod text;
pub mod vhost;
pub mod web;
pub mod zone;

#[cfg(test)]
mod tests;

pub use allowance::{Addable, DataRoot, Publishable, RepositoryGlob, ServicePath};
pub use backup::{AgeRecipient, Database, VolumeGlob, VolumePath};
pub use bucket::{BucketName, KeyPrefix};
pub use client::{Cidr, Client, Rate};
pub use delivered::{FileMode, FileName, OnChange, RepositoryPath};
pub use directory::AcmeDirectory;
pub use duration::Duration;
pub use header::{HeaderName, HeaderValue};
pub use host::{Address, HostEntry, HostName};
pub use host_glob::HostGlob;
pub use image::ImageReference;
pub use location::{BadLocation, Location, RemoteLocation, Transport};
pub use mount::{AbsolutePath, TmpfsMount, VolumeMount, VolumeSource};
pub use name::{
    AppName, BadName, ConfigName, EnvironmentName, InstallationName, ItemName, JobName, ObjectName, RepositoryName,
    ResourceKey, SecretName, ServiceName,
};
pub use net::{HttpPath, NetworkMode, Platform, StatusRange};
pub use place::{AppId, AppPath};
pub use policy::{PullPolicy, Restart};
pub use port::{ExposedPort, PortMapping, Protocol};
pub use process::{
    Capability, Cpuset, DeviceMapping, SecurityOption, Signal, SysctlName, UlimitName, User, VariableName,
};
pub use registry::RegistryName;
pub use schedule::Schedule;
pub use size::{Cpus, Size};
pub use template::{Encoding, Template};
pub use text::BadValue;
pub use vhost::{ProxyFile, RoutePath, VirtualHost};
pub use web::{ForgePath, ListenAddress, MailAddress, WebUrl};
pub use zone::TimeZoneName;

use text::judge;

/// Judges `text` by a format the schema names; a format nobody here knows accepts everything.
///
/// # Errors
/// The type's own error text: what is wrong and what is expected.
pub fn check_format(format: &str, text: &str) -> Result<(), String> {
    match format {
        "environment-name" => judge::<EnvironmentName>(text),
        "app-name" => judge::<AppName>(text),
        "service-name" => judge::<ServiceName>(text),
        "job-name" => judge::<JobName>(text),
        "name" => judge::<ResourceKey>(text),
        "object-name" => judge::<ObjectName>(text),
        "secret-name" => judge::<SecretName>(text),
        "config-name" => judge::<ConfigName>(text),
        "item-name" => judge::<ItemName>(text),
        "repository-name" => judge::<RepositoryName>(text),
        "age-recipient" => judge::<AgeRecipient>(text),
        "bucket-name" => judge::<BucketName>(text),
        "key-prefix" => judge::<KeyPrefix>(text),
        "volume-path" => judge::<VolumePath>(text),
        "volume-glob" => judge::<VolumeGlob>(text),
        "database" => judge::<Database>(text),
        "template" => judge::<Template>(text),
        "file-name" => judge::<FileName>(text),
        "file-mode" => judge::<FileMode>(text),
        "repository-path" => judge::<RepositoryPath>(text),
        "duration" => judge::<Duration>(text),
        "size" => judge::<Size>(text),
        "cpus" => judge::<Cpus>(text),
        "image" => judge::<ImageReference>(text),
        "registry" => judge::<RegistryName>(text),
        "port-mapping" => judge::<PortMapping>(text),
        "port" => judge::<ExposedPort>(text),
        "path" => judge::<AbsolutePath>(text),
        "volume" => judge::<VolumeMount>(text),
        "tmpfs" => judge::<TmpfsMount>(text),
        "host-name" => judge::<HostName>(text),
        "host-entry" => judge::<HostEntry>(text),
        "address" => judge::<Address>(text),
        "variable" => judge::<VariableName>(text),
        "user" => judge::<User>(text),
        "signal" => judge::<Signal>(text),
        "capability" => judge::<Capability>(text),
        "device" => judge::<DeviceMapping>(text),
        "cpuset" => judge::<Cpuset>(text),
        "ulimit" => judge::<UlimitName>(text),
        "sysctl" => judge::<SysctlName>(text),
        "security-option" => judge::<SecurityOption>(text),
        "pull-policy" => judge::<PullPolicy>(text),
        "restart" => judge::<Restart>(text),
        "network-mode" => judge::<NetworkMode>(text),
        "virtual-host" => judge::<VirtualHost>(text),
        "route-path" => judge::<RoutePath>(text),
        "proxy-file" => judge::<ProxyFile>(text),
        "header-name" => judge::<HeaderName>(text),
        "header-value" => judge::<HeaderValue>(text),
        "cidr" => judge::<Cidr>(text),
        "client" => judge::<Client>(text),
        "rate" => judge::<Rate>(text),
        "host-glob" => judge::<HostGlob>(text),
        "http-path" => judge::<HttpPath>(text),
        "status-range" => judge::<StatusRange>(text),
        "platform" => judge::<Platform>(text),
        "command" => match shlex::split(text) {
            Some(_) => Ok(()),
            None => Err(format!("`{text}` is not a command line: a quote in it has no end")),
        },
        "schedule" => judge::<Schedule>(text),
        "time-zone" => judge::<TimeZoneName>(text),
        "app-path" => judge::<AppPath>(text),
        "installation-name" => judge::<InstallationName>(text),
        "publishable" => judge::<Publishable>(text),
        "data-root" => judge::<DataRoot>(text),
        "service-path" => judge::<ServicePath>(text),
        "addable" => judge::<Addable>(text),
        "repository-glob" => judge::<RepositoryGlob>(text),
        "listen-address" => judge::<ListenAddress>(text),
        "url" => judge::<WebUrl>(text),
        "mail-address" => judge::<MailAddress>(text),
        "acme-directory" => judge::<AcmeDirectory>(text),
        "forge-path" => judge::<ForgePath>(text),
        _ => Ok(()),
    }
}
