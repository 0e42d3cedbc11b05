//! Reads tables key by key, and knows in the end which keys nobody asked for.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::failure::{Failure, Outcome};
use crate::{nearest, span};

/// A file and its text, to say where something in it is wrong.
#[derive(Debug)]
pub(super) struct File<'a> {
    name: &'a str,
    text: &'a str,
}

impl<'a> File<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text }
    }

    pub(super) fn table(&self) -> Outcome<Spanned<DeTable<'a>>> {
        DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.wrong_at(at, error.message())
        })
    }

    fn wrong_at(&self, at: usize, what: &str) -> Failure {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        Failure::usage(format!("{}:{line}: {what}", self.name))
    }
}

/// One table.
#[derive(Debug)]
pub(super) struct Section<'a> {
    file: &'a File<'a>,
    /// Its name in brackets; none of the whole file.
    name: Option<String>,
    table: &'a DeTable<'a>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub(super) fn root(file: &'a File<'a>, table: &'a Spanned<DeTable<'a>>) -> Self {
        Self {
            file,
            name: None,
            table: table.get_ref(),
            asked: RefCell::default(),
        }
    }

    pub(super) fn section(&self, key: &'static str) -> Outcome<Option<Self>> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let table = value.get_ref().as_table();
        let table = table.ok_or_else(|| self.mistyped(key, "a table", value))?;
        let name = match &self.name {
            Some(outer) => format!("{outer}.{key}"),
            None => key.to_owned(),
        };
        Ok(Some(Self {
            file: self.file,
            name: Some(name),
            table,
            asked: RefCell::default(),
        }))
    }

    pub(super) fn text(&self, key: &'static str) -> Outcome<Option<String>> {
        self.parsed(key, |text| Ok::<_, String>(text.to_owned()))
    }

    pub(super) fn span(&self, key: &'static str) -> Outcome<Option<Duration>> {
        self.parsed(key, span::parse)
    }

    /// A text that means something.
    pub(super) fn parsed<T, E: ToString>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Outcome<Option<T>> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let text = value.get_ref().as_str();
        let text = text.ok_or_else(|| self.mistyped(key, "a string", value))?;
        parse(text)
            .map(Some)
            .map_err(|error| self.wrong(key, &error.to_string()))
    }

    /// One of some words.
    pub(super) fn word<T: Copy>(
        &self,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Outcome<Option<T>> {
        self.parsed(key, |text| {
            let found = words.iter().find(|(word, _)| *word == text);
            let known = || words.iter().map(|(word, _)| *word);
            found
                .map(|(_, value)| *value)
                .ok_or_else(|| nearest::unknown("value", text, known()))
        })
    }

    /// One string or several.
    pub(super) fn texts(&self, key: &'static str) -> Outcome<Option<Vec<String>>> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let mistyped = || self.mistyped(key, "a string or a list of strings", value);
        match value.get_ref() {
            DeValue::String(text) => Ok(Some(vec![text.to_string()])),
            DeValue::Array(items) => items
                .iter()
                .map(|item| {
                    item.get_ref()
                        .as_str()
                        .map(str::to_owned)
                        .ok_or_else(mistyped)
                })
                .collect::<Outcome<Vec<String>>>()
                .map(Some),
            _ => Err(mistyped()),
        }
    }

    pub(super) fn count(&self, key: &'static str) -> Outcome<Option<u64>> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let number = value.get_ref().as_integer();
        let number =
            number.and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
        number
            .map(Some)
            .ok_or_else(|| self.mistyped(key, "a whole number", value))
    }

    /// A table of strings.
    pub(super) fn pairs(&self, key: &'static str) -> Outcome<Vec<(String, String)>> {
        let Some(value) = self.value(key) else {
            return Ok(Vec::new());
        };
        let mistyped = || self.mistyped(key, "a table of strings", value);
        let table = value.get_ref().as_table().ok_or_else(mistyped)?;
        table
            .iter()
            .map(|(name, value)| {
                let value = value.get_ref().as_str().ok_or_else(mistyped)?;
                Ok((name.get_ref().to_string(), value.to_owned()))
            })
            .collect()
    }

    /// The name of a file, which must be there.
    pub(super) fn file(&self, key: &'static str) -> Outcome<Option<PathBuf>> {
        self.parsed(key, |text| {
            let path = self.beside(text);
            let unreadable = |error| format!("cannot read {}: {error}", path.display());
            fs::File::open(&path).map_err(unreadable)?;
            Ok::<_, String>(path)
        })
    }

    /// What stands in a file, without the line's end. It is never shown.
    pub(super) fn secret(&self, key: &'static str) -> Outcome<Option<String>> {
        let Some(path) = self.file(key)? else {
            return Ok(None);
        };
        let text = fs::read_to_string(&path).map_err(|error| {
            self.wrong(key, &format!("cannot read {}: {error}", path.display()))
        })?;
        let secret = text.trim_end_matches(['\r', '\n']);
        match secret.is_empty() || text.len() > LONGEST_SECRET {
            true => Err(self.wrong(key, &format!("{} holds no secret", path.display()))),
            false => Ok(Some(secret.to_owned())),
        }
    }

    /// Every value of the table with its key, as text: for tables whose keys somebody else knows.
    pub(super) fn values(&self) -> Outcome<Vec<(&'a str, String)>> {
        let text = |key: &str, value: &Spanned<DeValue<'_>>| match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(number) => Ok(number.as_str().to_owned()),
            DeValue::Float(number) => Ok(number.as_str().to_owned()),
            _ => Err(self.mistyped(key, "a string or a number", value)),
        };
        let values = self.table.iter().map(|(key, value)| {
            let key = key.get_ref().as_ref();
            Ok((key, text(key, value)?))
        });
        values.collect()
    }

    /// A path, which is relative to the folder of the configuration file.
    pub(super) fn beside(&self, path: &str) -> PathBuf {
        let folder = Path::new(self.file.name).parent();
        folder.map_or_else(|| PathBuf::from(path), |folder| folder.join(path))
    }

    /// No other key is known.
    pub(super) fn end(&self) -> Outcome<()> {
        let asked = self.asked.borrow();
        for (key, _) in self.table.iter() {
            let name = key.get_ref().as_ref();
            if asked.contains(&name) {
                continue;
            }
            let whose = match &self.name {
                Some(name) => format!("[{name}]"),
                None => "the file".to_owned(),
            };
            let meant = match nearest::nearest(name, asked.iter()) {
                Some(meant) => format!("; did you mean `{meant}`?"),
                None => format!(": expected one of {}", asked.join(", ")),
            };
            let what = format!("{whose} has no key `{name}`{meant}");
            return Err(self.file.wrong_at(key.span().start, &what));
        }
        Ok(())
    }

    pub(super) fn wrong(&self, key: &str, what: &str) -> Failure {
        let at = self
            .table
            .iter()
            .find(|(name, _)| name.get_ref().as_ref() == key);
        let at = at.map_or(0, |(name, _)| name.span().start);
        self.file.wrong_at(at, &format!("{key}: {what}"))
    }

    fn mistyped(&self, key: &str, expected: &str, found: &Spanned<DeValue<'_>>) -> Failure {
        let found = match found.get_ref().type_str() {
            kind @ ("integer" | "array") => format!("an {kind}"),
            kind => format!("a {kind}"),
        };
        self.wrong(key, &format!("expected {expected}, found {found}"))
    }

    fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().push(key);
        let mut found = self
            .table
            .iter()
            .filter(|(name, _)| name.get_ref().as_ref() == key);
        found.next().map(|(_, value)| value)
    }
}

/// A larger file holds something else.
const LONGEST_SECRET: usize = 64 << 10;
