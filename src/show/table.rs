//! Columns of plain text that fit the terminal.

/// Two spaces keep columns apart.
const GAP: usize = 2;
/// A column is not narrowed below this.
const NARROWEST: usize = 8;

/// Rows under a header, aligned; where `width` is too small, the widest columns are narrowed and their texts cut.
///
/// Texts must be harmless already ([`super::escape`]).
pub fn table<const N: usize>(header: [&str; N], rows: &[[String; N]], width: Option<usize>) -> String {
    let mut widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter().map(|row| length(&row[column])).chain([header[column].len()]).max().unwrap_or(0)
    });
    if let Some(width) = width {
        narrow(&mut widths, width);
    }
    let mut out = line(&header.map(str::to_owned), &widths);
    for row in rows {
        out.push_str(&line(row, &widths));
    }
    out
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn narrow<const N: usize>(widths: &mut [usize; N], width: usize) {
    let room = width.saturating_sub(GAP * N.saturating_sub(1));
    while widths.iter().sum::<usize>() > room {
        let Some(widest) = widths.iter_mut().max() else { return };
        if *widest <= NARROWEST {
            return;
        }
        *widest -= 1;
    }
}

fn line<const N: usize>(cells: &[String; N], widths: &[usize; N]) -> String {
    let cells: Vec<String> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| {
            if length(cell) > *width {
                let cut: String = cell.chars().take(width.saturating_sub(1)).collect();
                format!("{cut}…")
            } else {
                format!("{cell:width$}")
            }
        })
        .collect();
    format!("{}\n", cells.join(&" ".repeat(GAP)).trim_end())
}
