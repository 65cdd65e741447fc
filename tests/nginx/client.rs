//! Clients of the proxy: `curl` for one answer looked at closely, and many at once for a switch.

use std::process::Command;

/// What `curl` prints of an answer, head and body, asking a port of this machine for a host.
pub fn curl(scheme: &str, host: &str, port: u16, path: &str, more: &[&str]) -> String {
    let to = format!("{host}:{port}:127.0.0.1");
    let url = format!("{scheme}://{host}:{port}{path}");
    let output = Command::new("curl")
        .args(["-skiS", "--max-time", "20", "--path-as-is", "--resolve", &to])
        .args(more)
        .arg(url)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The status of an answer.
pub fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

/// The values of a header, each as often as it came.
pub fn header<'a>(answer: &'a str, name: &str) -> Vec<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    let values = head.lines().filter_map(|line| line.split_once(": "));
    values.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
}
