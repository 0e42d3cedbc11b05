//! Tables: as many columns as the terminal holds, the least telling left out first.

use std::cmp::Ordering;

use super::{Line, Page, Tone};
use crate::failure::Failure;
use crate::nearest;

/// On which side a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// What a row is sorted by. What is not there comes last, whichever way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Key {
    Number(f64),
    Text(String),
    None,
}

/// One value of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
    key: Key,
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            key: Key::Text(text.clone()),
            text,
            tone: Tone::Plain,
        }
    }

    /// A number, and how it reads.
    #[expect(clippy::cast_precision_loss, reason = "it is for sorting")]
    pub(crate) fn count(count: u64) -> Self {
        Self::number(count as f64, count.to_string())
    }

    pub(crate) fn number(number: f64, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tone: Tone::Plain,
            key: Key::Number(number),
        }
    }

    /// What is not there.
    pub(crate) fn none(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            tone: Tone::Faint,
            key: Key::None,
        }
    }

    pub(crate) fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
}

/// A column: what it is called on the command line, what stands above it, and how much it matters: what
/// has the highest rank goes first when room is short.
#[derive(Debug)]
pub(crate) struct Column<T> {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) align: Align,
    pub(crate) rank: u8,
    pub(crate) cell: fn(&T) -> Cell,
}

/// A column whose title is its name.
pub(crate) fn column<T>(
    name: &'static str,
    align: Align,
    rank: u8,
    cell: fn(&T) -> Cell,
) -> Column<T> {
    Column {
        name,
        title: name,
        align,
        rank,
        cell,
    }
}

/// The rows as they were asked for, and how many more there are.
pub(crate) fn ordered<T>(
    table: &Table<T>,
    mut rows: Vec<T>,
    order: &crate::args::Order,
) -> Result<(Vec<T>, usize), Failure> {
    if let Some(by) = &order.sort {
        table.sort(&mut rows, by)?;
    }
    let limit = order.limit.unwrap_or(rows.len());
    let more = rows.len().saturating_sub(limit);
    rows.truncate(limit);
    Ok((rows, more))
}

/// The columns of a list, and the order that was asked for.
#[derive(Debug)]
pub(crate) struct Table<T: 'static> {
    columns: Vec<Column<T>>,
}

/// So much room stands between two columns.
const ROOM: usize = 2;
/// No cell is wider than that where the width is bounded.
const WIDEST: usize = 60;

impl<T> Table<T> {
    pub(crate) fn new<const N: usize>(columns: [Column<T>; N]) -> Self {
        Self {
            columns: columns.into(),
        }
    }

    /// Sorts as `COLUMN[:desc]` says.
    pub(crate) fn sort(&self, rows: &mut [T], by: &str) -> Result<(), Failure> {
        let (name, descending) = match by.split_once(':') {
            None | Some((_, "asc")) => (by.trim_end_matches(":asc"), false),
            Some((name, "desc")) => (name, true),
            Some((_, other)) => {
                let what = nearest::unknown("order", other, ["asc", "desc"]);
                return Err(Failure::usage(format!("--sort {by}: {what}")));
            }
        };
        let column = self.columns.iter().find(|column| column.name == name);
        let column = column.ok_or_else(|| {
            let known = self.columns.iter().map(|column| column.name);
            let what = nearest::unknown("column", name, known);
            let all: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
            Failure::usage(format!("--sort {by}: {what}"))
                .hint(format!("one of the columns {}", all.join(", ")))
        })?;
        rows.sort_by(|a, b| order(&(column.cell)(a).key, &(column.cell)(b).key, descending));
        Ok(())
    }

    /// The rows below their titles, in as much room as there is.
    pub(crate) fn page(&self, rows: &[T], width: Option<usize>) -> Page {
        let cells: Vec<Vec<Cell>> = rows
            .iter()
            .map(|row| {
                self.columns
                    .iter()
                    .map(|column| (column.cell)(row))
                    .collect()
            })
            .collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                let cells = cells
                    .iter()
                    .map(|row| super::width(&super::visible(&row[at].text)));
                let widest = cells.max().unwrap_or(0).max(self.columns[at].title.len());
                match width {
                    Some(width) => widest.min(WIDEST).min(width),
                    None => widest,
                }
            })
            .collect();
        let shown = self.fitting(&widths, width);
        let mut page = Page::default();
        let titles = shown.iter().map(|at| {
            let title = Line::default().faint(self.columns[*at].title.to_uppercase());
            (*at, title)
        });
        page.line(self.row(titles, &widths));
        for row in &cells {
            let cells = shown.iter().map(|at| {
                let Cell { text, tone, .. } = &row[*at];
                (*at, Line::default().tone(*tone, text).cut(widths[*at]))
            });
            page.line(self.row(cells, &widths));
        }
        let left_out: Vec<&str> = (0..self.columns.len())
            .filter(|at| !shown.contains(at))
            .map(|at| self.columns[at].name)
            .collect();
        if !left_out.is_empty() {
            let left_out = left_out.join(", ");
            page.line(
                Line::default()
                    .faint(format!("no room for: {left_out}"))
                    .hang(2),
            );
        }
        page
    }

    fn row(&self, cells: impl Iterator<Item = (usize, Line)>, widths: &[usize]) -> Line {
        let mut line = Line::default();
        for (position, (at, cell)) in cells.enumerate() {
            if position > 0 {
                line = line.plain(" ".repeat(ROOM));
            }
            line = match self.columns[at].align {
                Align::Left => {
                    let end = line.width() + widths[at];
                    line.join(cell).pad_to(end)
                }
                Align::Right => {
                    let start = line.width() + widths[at].saturating_sub(cell.width());
                    line.pad_to(start).join(cell)
                }
            };
        }
        line
    }

    /// Which columns there is room for.
    fn fitting(&self, widths: &[usize], width: Option<usize>) -> Vec<usize> {
        let mut shown: Vec<usize> = (0..self.columns.len()).collect();
        let Some(width) = width else { return shown };
        let needed = |shown: &[usize]| {
            let cells: usize = shown.iter().map(|at| widths[*at]).sum();
            cells + ROOM * shown.len().saturating_sub(1)
        };
        while needed(&shown) > width && shown.len() > 1 {
            let least = (0..shown.len()).max_by_key(|place| self.columns[shown[*place]].rank);
            match least {
                Some(place) if self.columns[shown[place]].rank > 0 => shown.remove(place),
                _ => break,
            };
        }
        shown
    }
}

fn order(a: &Key, b: &Key, descending: bool) -> Ordering {
    let turned = |order: Ordering| if descending { order.reverse() } else { order };
    match (a, b) {
        (Key::None, Key::None) => Ordering::Equal,
        (Key::None, _) => Ordering::Greater,
        (_, Key::None) => Ordering::Less,
        (Key::Number(a), Key::Number(b)) => turned(a.total_cmp(b)),
        (Key::Text(a), Key::Text(b)) => turned(a.cmp(b)),
        (Key::Number(_), Key::Text(_)) => Ordering::Less,
        (Key::Text(_), Key::Number(_)) => Ordering::Greater,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::Terminal;

    fn table() -> Table<(u64, Option<f64>)> {
        Table::new([
            column("id", Align::Right, 0, |row: &(u64, _)| Cell::count(row.0)),
            column("share", Align::Left, 1, |row| match row.1 {
                Some(share) => Cell::number(share, format!("{share} %")),
                None => Cell::none("?"),
            }),
        ])
    }

    #[test]
    fn columns_stand_below_their_titles_and_the_least_telling_goes_first() {
        let rows = [(7, Some(1.5)), (10, None)];
        let written = |width| table().page(&rows, width).written(&Terminal::none());
        assert_eq!(written(None), "ID  SHARE\n 7  1.5 %\n10  ?\n");
        assert_eq!(written(Some(5)), "ID\n 7\n10\nno room for: share\n");
    }

    #[test]
    fn what_is_not_there_comes_last_whichever_way() {
        let mut rows = [(1, None), (2, Some(1.0)), (3, Some(10.0))];
        let ids = |rows: &[(u64, _)]| rows.iter().map(|row| row.0).collect::<Vec<_>>();
        table().sort(&mut rows, "share").expect("a column");
        assert_eq!(ids(&rows), [2, 3, 1]);
        table().sort(&mut rows, "share:desc").expect("a column");
        assert_eq!(ids(&rows), [3, 2, 1]);
    }

    #[test]
    fn an_unknown_column_is_an_error_with_the_nearest_one() {
        let error = table().sort(&mut [], "shares").unwrap_err().to_string();
        assert!(error.contains("did you mean `share`?"), "{error}");
        let error = table().sort(&mut [], "share:down").unwrap_err().to_string();
        assert!(error.contains("there is no order `down`"), "{error}");
    }
}
