//! Where a server is said to answer.

use std::fmt;

use operator_core::{Error, Fault, Result};
use reqwest::Url;

/// One address of a server. Two that print alike are the same.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    base: Url,
    origin: String,
}

impl Endpoint {
    /// Reads a comma list of `HOST:PORT` or `http(s)://HOST:PORT[/PREFIX]`; what has no scheme gets `scheme`.
    pub(crate) fn list(text: &str, scheme: &str) -> Result<Vec<Self>> {
        let mut endpoints: Vec<Self> = Vec::new();
        for item in text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            let endpoint = Self::parse(item, scheme).ok_or_else(|| misread(item))?;
            if !endpoints.contains(&endpoint) {
                endpoints.push(endpoint);
            }
        }
        match endpoints.is_empty() {
            true => Err(misread(text)),
            false => Ok(endpoints),
        }
    }

    pub(crate) fn parse(text: &str, scheme: &str) -> Option<Self> {
        let mut base = match text.contains("://") {
            true => Url::parse(text).ok()?,
            false => Url::parse(&format!("{scheme}://{text}")).ok()?,
        };
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none_or(str::is_empty) {
            return None;
        }
        base.set_query(None);
        base.set_fragment(None);
        let mut shown = base.clone();
        shown.set_username("").ok()?;
        shown.set_password(None).ok()?;
        let origin = shown.as_str().trim_end_matches('/').to_owned();
        Some(Self { base, origin })
    }

    /// A path, which begins with a slash and is percent-encoded where it must be, at this endpoint.
    pub(crate) fn url(&self, path: &str) -> Option<Url> {
        let base = self.base.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}{path}")).ok()
    }

    /// How it is named to people: without secrets.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }
}

fn misread(text: &str) -> Error {
    let fault = Fault::Decode {
        expected: "HOST:PORT or http(s)://HOST:PORT, several with commas between".into(),
        found: format!("`{text}`"),
    };
    Error::new("read PD's endpoints", fault)
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_come_with_or_without_a_scheme_and_several_at_once() {
        let table = [
            ("pd-0:2379", "http", "http://pd-0:2379"),
            ("pd-0:2379", "https", "https://pd-0:2379"),
            ("https://pd-0:2379/", "http", "https://pd-0:2379"),
            ("127.0.0.1:2379", "http", "http://127.0.0.1:2379"),
            ("[::1]:2379", "http", "http://[::1]:2379"),
            ("http://proxy/a/pd/?x#y", "http", "http://proxy/a/pd"),
            ("http://me:secret@pd-0:2379", "http", "http://pd-0:2379"),
            ("a:1, http://b:2 ,,a:1", "http", "http://a:1 http://b:2"),
        ];
        for (text, scheme, expected) in table {
            let endpoints = Endpoint::list(text, scheme).unwrap();
            let origins: Vec<_> = endpoints.iter().map(Endpoint::origin).collect();
            assert_eq!(origins.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused_with_what_was_expected() {
        for text in [
            "",
            " , ",
            "ftp://pd:2379",
            "unix:///pd.sock",
            "http://",
            "a b:1",
        ] {
            let error = Endpoint::list(text, "http").unwrap_err();
            let expected = "cannot read PD's endpoints: expected HOST:PORT";
            assert!(format!("{error:#}").starts_with(expected), "{error:#}");
        }
    }

    #[test]
    fn a_path_goes_behind_the_prefix() {
        let endpoint = Endpoint::parse("http://proxy/pd-a/", "http").unwrap();
        let url = endpoint.url("/pd/api/v1/stores?state=2").unwrap();
        assert_eq!(url.as_str(), "http://proxy/pd-a/pd/api/v1/stores?state=2");
    }

    #[test]
    fn secrets_are_used_and_never_shown() {
        let endpoint = Endpoint::parse("http://me:secret@pd:1", "http").unwrap();
        assert_eq!(format!("{endpoint:?}"), "http://pd:1");
        assert_eq!(endpoint.url("/x").unwrap().password(), Some("secret"));
    }
}
