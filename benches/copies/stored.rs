//! The way of an archive or a snapshot into a place alone: packed, written, read back and judged. No engine is in it.

use reconcile::{
    backup::{Judge, Local, Making, Of, Piece, flow::IN_HAND, judge, store},
    desired::backup::Compression,
};
use std::{fs::File, io::Read, path::Path, time::Duration};
use tokio::sync::mpsc;

/// Reads a file as a source gives it, and stores it.
pub fn stored(folder: &Path, file: &str, kind: &str, compression: Compression) -> Duration {
    let place = Local { name: "local".parse().expect("a name"), root: folder.join("backups") };
    let of = Of {
        environment: "bench".parse().expect("a name"),
        app: "app".parse().expect("a name"),
        item: kind.parse().expect("a name"),
    };
    crate::timed(|| {
        let making = Making {
            of: of.clone(),
            kind: kind.to_owned(),
            compression,
            sealed_for: Vec::new(),
            judges_content: true,
            before: None,
            pinned: false,
            before_revision: None,
            taken_at: jiff::Timestamp::now(),
        };
        let (sender, flow) = mpsc::channel(IN_HAND);
        let path = folder.join(file);
        let giver = std::thread::spawn(move || {
            let mut file = File::open(path).expect("a source");
            loop {
                let mut chunk = vec![0; 64 * 1024];
                let read = file.read(&mut chunk).expect("a source");
                if read == 0 {
                    break;
                }
                chunk.truncate(read);
                sender.blocking_send(Piece::Bytes(chunk)).expect("a reader");
            }
            sender.blocking_send(Piece::Whole).expect("a reader");
        });
        let judge: Box<dyn Judge> = judge(kind);
        store(&place, &making, flow, judge, None).expect("a copy");
        giver.join().expect("a source");
    })
}
