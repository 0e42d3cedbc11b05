//! The configuration file: TOML, in which an unknown key is an error and secrets are the names of files.

mod section;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use operator_tikv::invariants::Settings;
use operator_tikv::{IdentityFiles, InstanceTemplate, PromAuth, TlsFiles};

use crate::args::Format;
use crate::failure::{Failure, Outcome};
use section::{File, Section};

/// What a configuration file says. What it leaves out is absent.
#[derive(Debug, Default)]
pub(crate) struct Config {
    pub(crate) pd: Pd,
    pub(crate) prometheus: Prometheus,
    pub(crate) watch: Watch,
    pub(crate) output: Output,
    pub(crate) rules: Rules,
}

#[derive(Debug, Default)]
pub(crate) struct Pd {
    pub(crate) urls: Option<String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) cluster_id: Option<u64>,
    pub(crate) tls: TlsFiles,
}

#[derive(Default)]
pub(crate) struct Prometheus {
    pub(crate) url: Option<String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) scrape_interval: Option<Duration>,
    pub(crate) window: Option<Duration>,
    pub(crate) job: Option<String>,
    pub(crate) pd_job: Option<String>,
    pub(crate) matchers: Option<String>,
    pub(crate) template: Option<InstanceTemplate>,
    pub(crate) auth: PromAuth,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) tls: TlsFiles,
}

/// Headers and parameters may be secrets: they are not shown.
impl std::fmt::Debug for Prometheus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prometheus").finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) interval: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) heartbeat: Option<Duration>,
    pub(crate) state: Option<PathBuf>,
}

#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) format: Option<Format>,
    pub(crate) local: Option<bool>,
}

#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) skip: Vec<&'static str>,
    pub(crate) settings: Settings,
}

impl Config {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Outcome<Self> {
        let shown = path.display().to_string();
        let size = fs::metadata(path).map(|data| data.len());
        let text = match size {
            Ok(size) if size > LARGEST => {
                let what = format!("{shown}: {size} bytes are no configuration");
                return Err(Failure::usage(what));
            }
            _ => fs::read_to_string(path)
                .map_err(|error| Failure::usage(format!("cannot read {shown}: {error}")))?,
        };
        Self::parse(&shown, &text)
    }

    fn parse(shown: &str, text: &str) -> Outcome<Self> {
        let file = File::new(shown, text);
        let table = file.table()?;
        let root = Section::root(&file, &table);
        let config = Self {
            pd: root
                .section("pd")?
                .map_or_else(|| Ok(Pd::default()), |s| pd(&s))?,
            prometheus: root
                .section("prometheus")?
                .map_or_else(|| Ok(Prometheus::default()), |s| prometheus(&s))?,
            watch: root
                .section("watch")?
                .map_or_else(|| Ok(Watch::default()), |s| watch(&s))?,
            output: root
                .section("output")?
                .map_or_else(|| Ok(Output::default()), |s| output(&s))?,
            rules: root
                .section("rules")?
                .map_or_else(|| Ok(Rules::default()), |s| rules(&s))?,
        };
        root.end()?;
        Ok(config)
    }
}

/// A larger file is none that somebody wrote.
const LARGEST: u64 = 1 << 20;

fn pd(section: &Section<'_>) -> Outcome<Pd> {
    let read = Pd {
        urls: section.texts("urls")?.map(|urls| urls.join(",")),
        timeout: section.span("timeout")?,
        cluster_id: section.count("cluster-id")?,
        tls: tls(section)?,
    };
    section.end()?;
    Ok(read)
}

fn prometheus(section: &Section<'_>) -> Outcome<Prometheus> {
    let read = Prometheus {
        url: section.text("url")?,
        timeout: section.span("timeout")?,
        scrape_interval: section.span("scrape-interval")?,
        window: section.span("window")?,
        job: section.text("job")?,
        pd_job: section.text("pd-job")?,
        matchers: section.text("matchers")?,
        template: section.parsed("instance-template", str::parse)?,
        auth: auth(section)?,
        headers: section.pairs("headers")?,
        parameters: section.pairs("parameters")?,
        tls: tls(section)?,
    };
    if read
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
    {
        let instead = "secrets stand in files: take bearer-token-file, or user and password-file";
        return Err(section.wrong("headers", instead));
    }
    section.end()?;
    Ok(read)
}

fn auth(section: &Section<'_>) -> Outcome<PromAuth> {
    let token = section.secret("bearer-token-file")?;
    let user = section.text("user")?;
    let password = section.secret("password-file")?;
    match (token, user, password) {
        (None, None, None) => Ok(PromAuth::None),
        (Some(token), None, None) => Ok(PromAuth::Bearer(token)),
        (None, Some(user), Some(password)) => Ok(PromAuth::Basic { user, password }),
        (None, ..) => Err(section.wrong("user", "user and password-file go together")),
        (Some(_), ..) => {
            let either = "either bearer-token-file, or user and password-file";
            Err(section.wrong("bearer-token-file", either))
        }
    }
}

fn tls(section: &Section<'_>) -> Outcome<TlsFiles> {
    let Some(section) = section.section("tls")? else {
        return Ok(TlsFiles::default());
    };
    let ca = section.file("ca-file")?;
    let (certificate, key) = (section.file("cert-file")?, section.file("key-file")?);
    section.end()?;
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(IdentityFiles { certificate, key }),
        (None, None) => None,
        _ => return Err(section.wrong("cert-file", "cert-file and key-file go together")),
    };
    Ok(TlsFiles { ca, identity })
}

fn watch(section: &Section<'_>) -> Outcome<Watch> {
    let read = Watch {
        interval: section.span("interval")?,
        deadline: section.span("deadline")?,
        heartbeat: section.span("heartbeat")?,
        state: section
            .text("state-file")?
            .map(|path| section.beside(&path)),
    };
    section.end()?;
    Ok(read)
}

fn output(section: &Section<'_>) -> Outcome<Output> {
    let read = Output {
        format: section.word("format", &[("text", Format::Text), ("json", Format::Json)])?,
        local: section.word("time", &[("utc", false), ("local", true)])?,
    };
    section.end()?;
    Ok(read)
}

/// `skip`, and for every rule a table of what is set of it.
fn rules(section: &Section<'_>) -> Outcome<Rules> {
    let codes = crate::rulebook::codes();
    let mut skip = Vec::new();
    for name in section.texts("skip")?.unwrap_or_default() {
        let code = codes.iter().find(|code| **code == name);
        let unknown = || section.wrong("skip", &crate::nearest::unknown("rule", &name, &codes));
        skip.push(*code.ok_or_else(unknown)?);
    }
    let mut settings = Settings::default();
    for code in codes {
        let Some(rule) = section.section(code)? else {
            continue;
        };
        for (knob, value) in rule.values()? {
            settings
                .set(code, knob, &value)
                .map_err(|error| rule.wrong(knob, &error.to_string()))?;
        }
    }
    section.end()?;
    settings
        .check()
        .map_err(|error| section.wrong("skip", &error.to_string()))?;
    Ok(Rules { skip, settings })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        match Config::parse("operator.toml", text) {
            Ok(config) => panic!("it was read: {config:?}"),
            Err(failure) => failure.to_string(),
        }
    }

    #[test]
    fn a_whole_file_is_read() {
        let config = Config::parse(
            "operator.toml",
            r#"
            [pd]
            urls = ["http://pd-0:2379", "http://pd-1:2379"]
            timeout = "2s"
            cluster-id = 7
            [prometheus]
            url = "http://prom:9090"
            scrape-interval = "30s"
            window = "2m"
            job = "tikv"
            pd-job = "placement"
            matchers = 'tidb_cluster="a"'
            instance-template = "{host}:{status_port}"
            headers = { X-Scope-OrgID = "tenant" }
            [watch]
            interval = "15s"
            state-file = "/var/lib/operator/state.json"
            [output]
            format = "json"
            time = "local"
            [rules]
            skip = ["store_down"]
            [rules.store_down]
            grace = "30s"
            "#,
        );
        let config = config.expect("it can be read");
        assert_eq!(
            config.pd.urls.as_deref(),
            Some("http://pd-0:2379,http://pd-1:2379")
        );
        assert_eq!(config.pd.timeout, Some(Duration::from_secs(2)));
        assert_eq!(config.pd.cluster_id, Some(7));
        assert_eq!(config.prometheus.window, Some(Duration::from_secs(120)));
        assert_eq!(config.prometheus.job.as_deref(), Some("tikv"));
        assert_eq!(config.prometheus.pd_job.as_deref(), Some("placement"));
        assert!(config.prometheus.template.is_some());
        assert_eq!(config.watch.interval, Some(Duration::from_secs(15)));
        assert_eq!(config.output.format, Some(Format::Json));
        assert_eq!(config.output.local, Some(true));
        assert_eq!(config.rules.skip, ["store_down"]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_what_was_meant() {
        for (text, expected) in [
            (
                "[pd]\nurl = \"x\"",
                "operator.toml:2: [pd] has no key `url`; did you mean `urls`?",
            ),
            (
                "[pdd]",
                "operator.toml:1: the file has no key `pdd`; did you mean `pd`?",
            ),
            (
                "[pd]\ntimeout = \"4\"",
                "operator.toml:2: timeout: `4` is no span of time",
            ),
            (
                "[pd]\ntimeout = 4",
                "operator.toml:2: timeout: expected a string, found an integer",
            ),
            ("[pd", "operator.toml:1: "),
            (
                "[output]\nformat = \"yaml\"",
                "operator.toml:2: format: there is no value `yaml`: expected one of text, json",
            ),
            (
                "[prometheus]\nuser = \"me\"",
                "operator.toml:2: user: user and password-file go together",
            ),
            (
                "[prometheus]\nheaders = { Authorization = \"Bearer abc\" }",
                "operator.toml:2: headers: secrets stand in files",
            ),
            (
                "[rules]\nskip = [\"store_dwon\"]",
                "operator.toml:2: skip: there is no rule `store_dwon`; did you mean `store_down`?",
            ),
            (
                "[pd.tls]\nca-file = \"/nonexistent/ca.pem\"",
                "operator.toml:2: ca-file: cannot read /nonexistent/ca.pem",
            ),
            (
                "[prometheus]\ninstance-template = \"{pd}\"",
                "operator.toml:2: instance-template: ",
            ),
        ] {
            let said = wrong(text);
            assert!(said.contains(expected), "{text}: {said}");
            assert!(!said.contains("abc"), "{said}");
        }
    }
}
