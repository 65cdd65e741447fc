//! Somebody who reads a copy while it is stored.

use super::storing::{anything, files, making, repository, whole};
use crate::{
    backup::{Making, Place, Reader, flow::IN_HAND, store},
    desired::backup::Compression,
};
use std::thread;
use tokio::sync::mpsc;

/// Somebody who reads a copy, and says this of it.
fn reader(verdict: Result<(), String>) -> (Reader, thread::JoinHandle<Vec<u8>>) {
    let (to, mut data) = mpsc::channel(IN_HAND);
    let (sender, told) = tokio::sync::oneshot::channel();
    let reading = thread::spawn(move || {
        let mut read = Vec::new();
        while let Some(bytes) = data.blocking_recv() {
            read.extend(bytes);
        }
        let _ = sender.send(verdict);
        read
    });
    (Reader { to, verdict: told }, reading)
}

#[test]
fn who_reads_a_copy_before_it_has_a_name_has_the_last_word() {
    let folder = tempfile::tempdir().unwrap();
    let recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p".parse().unwrap();
    for sealed_for in [Vec::new(), vec![recipient]] {
        let making = Making { sealed_for, ..making(Compression::Zstd) };
        let stored = |verdict: Result<(), String>| {
            let (reader, reading) = reader(verdict);
            let stored = store(&repository(folder.path()), &making, whole(&[5; 50_000]), anything(), Some(reader));
            (stored, reading.join().unwrap())
        };
        let (refused, read) = stored(Err("`pg_restore` exited with 1".to_owned()));
        assert_eq!(
            (refused.unwrap_err().to_string().contains("`pg_restore` exited with 1"), read.len()),
            (true, 50_000)
        );
        assert_eq!(files(folder.path()), Vec::<String>::new());
        let (taken, read) = stored(Ok(()));
        assert_eq!(read, [5; 50_000]);
        repository(folder.path()).remove(&taken.unwrap()).unwrap();
    }
}
