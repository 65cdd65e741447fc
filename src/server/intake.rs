//! Takes in a body, up to a size.

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};

/// The largest body that is kept, in bytes.
const LARGEST: usize = 1024 * 1024;
/// So much more is read and thrown away: a sender hears its answer only when it is done sending.
const PATIENCE: usize = 16 * LARGEST;

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoBody {
    TooLarge,
    /// What was sent is no body, or its sender went away.
    Broken,
}

/// The whole body.
pub async fn read<B: Body<Data = Bytes> + Unpin>(mut body: B) -> Result<Vec<u8>, NoBody> {
    let mut kept = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| NoBody::Broken)?.into_data() else { continue };
        length += data.len();
        if length > PATIENCE {
            return Err(NoBody::TooLarge);
        }
        if length > LARGEST {
            kept = Vec::new();
        } else {
            kept.extend_from_slice(&data);
        }
    }
    if length > LARGEST { Err(NoBody::TooLarge) } else { Ok(kept) }
}
