//! A terminal of which the last lines are drawn again and again, while what is said stays above them.

use std::io::{self, Write};

use crate::args::Colour;
use crate::failure::Outcome;
use crate::term::Terminal;
use crate::text::Page;

/// What is written to. Where lines cannot be drawn anew there is no panel, and what is said is all there is.
#[derive(Debug)]
pub(crate) struct Screen {
    terminal: Terminal,
    colour: Colour,
    /// How wide the lines of the panel are that stands there now.
    drawn: Vec<usize>,
    hidden: bool,
    /// Whether anybody still reads.
    open: bool,
}

const HIDE: &str = "\x1b[?25l";
const SHOW: &str = "\x1b[?25h";
const TO_END_OF_LINE: &str = "\x1b[K";
const TO_END_OF_SCREEN: &str = "\x1b[J";

impl Screen {
    pub(crate) fn new(terminal: Terminal, colour: Colour) -> Self {
        Self {
            terminal,
            colour,
            drawn: Vec::new(),
            hidden: false,
            open: true,
        }
    }

    /// Whether a panel can be drawn.
    pub(crate) fn redraws(&self) -> bool {
        self.terminal.redraws
    }

    /// Whether anybody still reads.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// The terminal as it is now: it may have been made larger or smaller.
    pub(crate) fn measure(&mut self) -> Terminal {
        if self.terminal.redraws {
            self.terminal = Terminal::of_stdout(self.colour);
        }
        self.terminal
    }

    /// Says something for good, and draws the panel below it.
    pub(crate) fn update(&mut self, said: &Page, panel: &Page) -> Outcome<()> {
        let terminal = self.measure();
        let mut text = String::new();
        if !terminal.redraws {
            return self.write(&said.written(&terminal));
        }
        if !self.hidden {
            text.push_str(HIDE);
            self.hidden = true;
        }
        text.push_str(&self.up());
        for line in said.written(&terminal).lines() {
            text.extend([line, TO_END_OF_LINE, "\n"]);
        }
        // The last row stays free, so that the panel never scrolls.
        let (columns, rows) = terminal.size.unwrap_or((80, 24));
        let panel = Page {
            lines: panel
                .lines
                .iter()
                .take(rows.saturating_sub(2))
                .map(|line| line.clone().cut(columns))
                .collect(),
        };
        self.drawn = panel.lines.iter().map(crate::text::Line::width).collect();
        for line in panel.written(&terminal).lines() {
            text.extend([line, TO_END_OF_LINE, "\n"]);
        }
        text.push_str(TO_END_OF_SCREEN);
        self.write(&text)
    }

    /// Takes the panel away, and gives the terminal back as it was.
    pub(crate) fn end(&mut self) {
        if self.hidden {
            let text = self.up() + TO_END_OF_SCREEN + SHOW;
            self.drawn.clear();
            self.hidden = false;
            let _ = self.write(&text);
        }
    }

    /// To where the panel begins. In a terminal that has become narrower its lines take more rows than they did.
    fn up(&self) -> String {
        let columns = self.terminal.size.map_or(80, |(columns, _)| columns.max(1));
        let rows: usize = self
            .drawn
            .iter()
            .map(|width| width.div_ceil(columns).max(1))
            .sum();
        match rows {
            0 => "\r".to_owned(),
            rows => format!("\r\x1b[{rows}A"),
        }
    }

    fn write(&mut self, text: &str) -> Outcome<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.open = false;
                Ok(())
            }
            Err(error) => Err(crate::failure::Failure::local(format!(
                "cannot write to standard output: {error}"
            ))),
            Ok(()) => Ok(()),
        }
    }
}

/// Whatever ends the command, the cursor is shown again.
impl Drop for Screen {
    fn drop(&mut self) {
        self.end();
    }
}
