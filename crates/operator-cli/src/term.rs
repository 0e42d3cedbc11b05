//! What the terminal can do, if there is one.

use std::io::{self, IsTerminal};

use crate::args::Colour;

/// What can be done with what is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terminal {
    /// Whether lines can be drawn anew.
    pub(crate) redraws: bool,
    pub(crate) colour: bool,
    /// Whether more than ASCII can be shown.
    pub(crate) unicode: bool,
    /// Columns and rows; none where nobody is looking.
    pub(crate) size: Option<(usize, usize)>,
}

impl Terminal {
    /// What standard output is.
    pub(crate) fn of_stdout(colour: Colour) -> Self {
        let var = |name: &str| std::env::var(name).ok();
        let size = terminal_size::terminal_size_of(io::stdout());
        let size = size.map(|(columns, rows)| (columns.0.into(), rows.0.into()));
        Self::of(io::stdout().is_terminal(), size, colour, var)
    }

    /// Without colour, without bounds: for a file or a pipe.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self::of(false, None, Colour::Never, |_| None)
    }

    fn of(
        is_terminal: bool,
        size: Option<(usize, usize)>,
        colour: Colour,
        var: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let is_set = |name: &str| var(name).is_some_and(|value| !value.is_empty() && value != "0");
        let dumb = var("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        let no_colour = var("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto if no_colour => false,
            Colour::Auto => is_set("CLICOLOR_FORCE") || (is_terminal && !dumb),
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| var(name).filter(|value| !value.is_empty()));
        let unicode = locale.is_some_and(|locale| {
            let locale = locale.to_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        // A terminal that does not say how wide it is (a serial line) is believed to be as they all were.
        let size = size.filter(|(columns, _)| *columns > 0).unwrap_or((80, 24));
        Self {
            redraws: is_terminal && !dumb,
            colour,
            unicode: unicode && is_terminal && !dumb,
            size: is_terminal.then_some(size),
        }
    }

    /// How wide a line may be; none where that does not matter.
    pub(crate) fn width(&self) -> Option<usize> {
        self.size.map(|(columns, _)| columns.max(20))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(is_terminal: bool, colour: Colour, vars: &[(&str, &str)]) -> Terminal {
        Terminal::of(is_terminal, None, colour, |name| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn colour_is_for_terminals_that_have_it_and_for_whoever_insists() {
        let xterm = ("TERM", "xterm");
        for (is_terminal, colour, vars, expected) in [
            (true, Colour::Auto, &[xterm][..], true),
            (true, Colour::Auto, &[("TERM", "dumb")], false),
            (true, Colour::Auto, &[], false),
            (true, Colour::Auto, &[xterm, ("NO_COLOR", "1")], false),
            (true, Colour::Auto, &[xterm, ("NO_COLOR", "")], true),
            (true, Colour::Always, &[xterm, ("NO_COLOR", "1")], true),
            (true, Colour::Never, &[xterm], false),
            (false, Colour::Auto, &[xterm], false),
            (false, Colour::Auto, &[("CLICOLOR_FORCE", "1")], true),
            (false, Colour::Auto, &[("CLICOLOR_FORCE", "0")], false),
            (false, Colour::Always, &[], true),
        ] {
            let found = of(is_terminal, colour, vars).colour;
            assert_eq!(found, expected, "{is_terminal} {colour:?} {vars:?}");
        }
    }

    #[test]
    fn only_a_terminal_that_can_is_drawn_anew_and_has_a_width() {
        assert!(of(true, Colour::Never, &[("TERM", "xterm")]).redraws);
        assert!(!of(true, Colour::Never, &[("TERM", "dumb")]).redraws);
        assert!(!of(false, Colour::Always, &[("TERM", "xterm")]).redraws);
        assert_eq!(of(true, Colour::Never, &[]).width(), Some(80));
        assert_eq!(of(false, Colour::Never, &[]).width(), None);
    }
}
