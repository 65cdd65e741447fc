//! Makes an image of an archive, without a build and without a registry.

use super::Docker;
use crate::engine::{Answer, EngineError};
use bollard::{body_stream, query_parameters::CreateImageOptionsBuilder};
use futures_util::{StreamExt, stream};
use hyper::body::Bytes;
use tokio::sync::mpsc::Receiver;

impl Docker {
    /// Podman gives such an image no name, whatever is asked (4.3): it is known by its id.
    pub(super) async fn import_archive(&self, archive: Receiver<Vec<u8>>) -> Answer<String> {
        let pieces = stream::unfold(archive, |mut archive| async {
            let piece = archive.recv().await?;
            Some((Bytes::from(piece), archive))
        });
        let doing = "make an image of an archive".to_owned();
        let options = CreateImageOptionsBuilder::default().from_src("-").build();
        let told = self
            .done(doing.clone(), |client| async move {
                let mut answers = client.create_image(Some(options), Some(body_stream(pieces)), None);
                let mut told = None;
                while let Some(answer) = answers.next().await {
                    told = answer?.status.filter(|status| status.starts_with("sha256:")).or(told);
                }
                Ok(told)
            })
            .await?;
        told.ok_or_else(|| EngineError::Garbled { doing, source: "it names no image".into() })
    }
}
