//! Takes in a body, up to a size.

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};

/// The largest body that is kept, in bytes.
pub const LARGEST: usize = 1024 * 1024;
/// So much more is read and thrown away: a sender hears its answer only when it is done sending.
const PATIENCE: usize = 16 * LARGEST;

/// The whole body; none where it is too large, or its sender went away.
pub async fn read<B: Body<Data = Bytes> + Unpin>(mut body: B) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        length += data.len();
        if length > PATIENCE {
            return None;
        }
        if length > LARGEST {
            kept = Vec::new();
        } else {
            kept.extend_from_slice(&data);
        }
    }
    (length <= LARGEST).then_some(kept)
}
