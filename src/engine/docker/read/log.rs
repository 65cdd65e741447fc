//! A container's output: without a terminal, both streams come in frames of one.

/// The lines of an answer to `logs`, the last `lines` of them.
pub fn lines(body: &[u8], lines: usize) -> Vec<String> {
    let text = text(body);
    let all: Vec<String> = text.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect();
    all[all.len().saturating_sub(lines)..].to_vec()
}

/// An output as it was said.
pub fn text(body: &[u8]) -> String {
    let text = unframed(body).unwrap_or_else(|| body.to_vec());
    String::from_utf8_lossy(&text).into_owned()
}

/// The payload of frames (stream 0–2, three zeros, length in four bytes); none when it is no such thing, as a
/// terminal's output is not.
fn unframed(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    while let Some((head, rest)) = body.split_first_chunk::<8>() {
        let [0..=2, 0, 0, 0, a, b, c, d] = *head else { return None };
        let length = u32::from_be_bytes([a, b, c, d]).try_into().ok()?;
        text.extend_from_slice(rest.get(..length).unwrap_or(rest));
        body = rest.get(length..).unwrap_or_default();
    }
    body.is_empty().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stream: u8, text: &str) -> Vec<u8> {
        let mut frame = vec![stream, 0, 0, 0];
        frame.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
        frame.extend(text.as_bytes());
        frame
    }

    #[test]
    fn both_streams_come_as_lines_in_their_order() {
        let body = [frame(1, "out\n"), frame(2, "err\r\n"), frame(1, "last")].concat();
        assert_eq!(lines(&body, 9), ["out", "err", "last"]);
        assert_eq!(lines(&body, 2), ["err", "last"]);
    }

    #[test]
    fn a_terminals_output_comes_as_it_is() {
        assert_eq!(lines(b"one\r\ntwo\r\n", 9), ["one", "two"]);
        assert!(lines(b"", 9).is_empty());
    }
}
