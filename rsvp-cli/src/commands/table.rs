//! Tables for people.

/// A table that is as wide as its contents.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column heads.
    pub(crate) fn new(heads: &[&str]) -> Self {
        Self { rows: vec![heads.iter().map(|head| (*head).to_owned()).collect()] }
    }

    /// Adds a row, one cell for each column.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(
            cells.into_iter().map(|cell| if cell.is_empty() { "-".to_owned() } else { cell }).collect(),
        );
    }

    /// The table as text; `nothing` stands for one without rows.
    pub(crate) fn render(&self, nothing: &str) -> String {
        if self.rows.len() == 1 {
            return format!("{nothing}\n");
        }
        let columns = self.rows[0].len();
        let width =
            |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(&format!("{cell:<width$}  "));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A time span for people: `350ms`, `12s`, `3m05s`, `2h07m`, `4d03h`.
pub(crate) fn span(seconds: f64) -> String {
    if seconds < 1.0 {
        return format!("{:.0}ms", seconds.max(0.0) * 1000.0);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
    let whole = seconds as u64;
    let (days, hours, minutes, rest) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => format!("{minutes}m{rest:02}s"),
        (0, _, _) => format!("{hours}h{minutes:02}m"),
        _ => format!("{days}d{hours:02}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_empty_cells_show() {
        let mut table = Table::new(&["NAME", "RATE"]);
        assert_eq!(table.render("nothing"), "nothing\n");
        table.row(["a-long-name".to_owned(), String::new()]);
        table.row(["b".to_owned(), "1 Mbit/s".to_owned()]);
        assert_eq!(table.render("nothing"), "NAME         RATE\na-long-name  -\nb            1 Mbit/s\n");
    }

    #[test]
    fn spans_read_well() {
        for (seconds, text) in [
            (-1.0, "0ms"),
            (0.35, "350ms"),
            (12.9, "12s"),
            (185.0, "3m05s"),
            (7620.0, "2h07m"),
            (356_400.0, "4d03h"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
