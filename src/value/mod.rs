//! Values that are parsed once and cannot be wrong afterwards.
//!
//! Each type here has one textual form, used by the manifest, the host file and the command line alike. `check_format`
//! is how the shape check of `yaml` judges a scalar whose schema names a format.

pub mod name;

pub use name::{AppName, EnvironmentName, JobName, ResourceKey, ServiceName};

/// Judges `text` by a format the schema names; a format nobody here knows accepts everything.
///
/// # Errors
/// The type's own error text: what is wrong and what is expected.
pub fn check_format(format: &str, text: &str) -> Result<(), String> {
    match format {
        "name" => text.parse::<ResourceKey>().map(drop).map_err(|error| error.to_string()),
        _ => Ok(()),
    }
}
