//! How a client asks, what it asks about, and who it says that it is.

use std::fmt;
use std::time::Duration;

use operator_core::{Error, Fault, Result};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::InstanceTemplate;
use crate::http::TlsFiles;

/// How a [`PromClient`](super::PromClient) asks, and what it asks about.
#[derive(Clone)]
pub struct PromOptions {
    /// How long one query may take.
    pub within: Duration,
    /// How large one answer may be, unpacked.
    pub limit_bytes: usize,
    /// How many queries may be on their way at once.
    pub concurrency: usize,
    /// How often the server scrapes TiKV.
    pub scrape_every: Duration,
    /// Over how long rates are taken; over four scrapes in any case. What is older than that is stale.
    pub window: Duration,
    /// Which jobs are TiKV's, as a regular expression. Other jobs may share their instances.
    pub job: String,
    /// Which jobs are PD's, as a regular expression.
    pub pd_job: String,
    /// Further matchers for a server that measures more than one cluster, as in `tidb_cluster="db-basic"`.
    pub matchers: String,
    /// How instances are called, where none of the usual ways holds.
    pub template: Option<InstanceTemplate>,
    /// Who we are.
    pub auth: PromAuth,
    /// Further headers, as in `X-Scope-OrgID: tenant`.
    pub headers: Vec<(String, String)>,
    /// Further parameters of every query, as in `partial_response=false`.
    pub parameters: Vec<(String, String)>,
    /// Whom to trust and who we are, where TLS is demanded.
    pub tls: TlsFiles,
    /// A client of the caller's own making, to be used for everything. It should not follow redirects.
    pub client: Option<reqwest::Client>,
}

/// Who we are to the server.
#[derive(Clone, Default)]
pub enum PromAuth {
    /// Nobody, or whom the URL names.
    #[default]
    None,
    /// A user with a password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// Whoever holds this token.
    Bearer(String),
}

impl Default for PromOptions {
    fn default() -> Self {
        Self {
            within: Duration::from_secs(6),
            limit_bytes: 16 << 20,
            concurrency: 4,
            scrape_every: Duration::from_secs(15),
            window: Duration::from_secs(60),
            job: ".*tikv".to_owned(),
            pd_job: ".*pd".to_owned(),
            matchers: String::new(),
            template: None,
            auth: PromAuth::None,
            headers: Vec::new(),
            parameters: Vec::new(),
            tls: TlsFiles::default(),
            client: None,
        }
    }
}

/// What is sent with every query.
pub(super) fn headers(auth: &PromAuth, further: &[(String, String)]) -> Result<HeaderMap> {
    let unfit = |what: &str| {
        let expected = format!("visible characters in {what}");
        let found = "others".into();
        Error::new("set the headers", Fault::Decode { expected, found })
    };
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    for (name, value) in further {
        let unfit = |_| unfit(name);
        let name = HeaderName::try_from(name.as_str()).map_err(|_| unfit(()))?;
        headers.append(name, HeaderValue::from_str(value).map_err(|_| unfit(()))?);
    }
    let authorization = match auth {
        PromAuth::None => None,
        PromAuth::Basic { user, password } => Some(format!(
            "Basic {}",
            base64(format!("{user}:{password}").as_bytes())
        )),
        PromAuth::Bearer(token) => Some(format!("Bearer {token}")),
    };
    if let Some(text) = authorization {
        let mut value = HeaderValue::from_str(&text).map_err(|_| unfit("the credentials"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

/// As RFC 4648 has it, for the one header that needs it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |position: usize| u32::from(chunk.get(position).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) & 63;
            text.push(match digit <= chunk.len() {
                true => char::from(DIGITS[index as usize]),
                false => '=',
            });
        }
    }
    text
}

/// Without secrets.
impl fmt::Debug for PromAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic",
            Self::Bearer(_) => "Bearer",
        })
    }
}

/// Without secrets, which a header or a parameter may be too.
impl fmt::Debug for PromOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PromOptions")
            .field("within", &self.within)
            .field("job", &self.job)
            .field("pd_job", &self.pd_job)
            .field("matchers", &self.matchers)
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PromClient;

    #[test]
    fn credentials_are_written_as_the_header_wants_them() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("ro:\u{fc}?>", "cm86w7w/Pg=="),
        ] {
            assert_eq!(base64(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn secrets_are_never_shown() {
        let options = PromOptions {
            auth: PromAuth::Basic {
                user: "me".into(),
                password: "secret".into(),
            },
            headers: vec![("x-token".into(), "secret".into())],
            ..PromOptions::default()
        };
        assert!(!format!("{options:?}").contains("secret"));
        let client = PromClient::with("https://me:secret@prom/a", options).unwrap();
        assert!(!format!("{client:?} {client}").contains("secret"));
    }
}
