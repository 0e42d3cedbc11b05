//! Reading what other hands have touched: prefixes, containers, cuts, old formats.
//!
//! The strict grammar is always tried first, so a strict record is never read differently here.

use memchr::memchr_iter;

use super::fault::Fault;
use super::json;
use super::legacy;
use super::level::Level;
use super::line::{Damage, Format, LogLine};
use super::stamp::{STAMP_LEN, Stamp};
use super::text::Text;
use super::{parse_line, trim, unified};

/// Reads a line strictly or, failing that, recovers the record in it.
///
/// `scratch` holds the text of a container's JSON line once it is unescaped; nothing else is
/// copied. What had to be put up with is in [`LogLine::damage`].
///
/// ```
/// use operator_tikv::log_parser::{Damage, parse_lenient};
/// let mut scratch = Vec::new();
/// let line = parse_lenient(r#"pd-2.log:[2026/02/03 11:12:13.140 +08:00] [INFO] [raft.go:7] ["lost"] [a=1"#, &mut scratch)?;
/// assert_eq!(line.damage(), Damage::PREFIX.and(Damage::TAIL));
/// assert_eq!(line.trailing(), " [a=1");
/// # Ok::<(), operator_tikv::log_parser::Fault>(())
/// ```
///
/// # Errors
/// A [`Fault`] where no record can be recovered; the caller counts it by reason.
pub fn parse_lenient<'a>(
    line: &'a (impl AsRef<[u8]> + ?Sized),
    scratch: &'a mut Vec<u8>,
) -> Result<LogLine<'a>, Fault> {
    let line = line.as_ref();
    let strict = match parse_line(line) {
        Ok(parsed) => return Ok(parsed),
        Err(fault) => fault,
    };
    let line = trim(line);
    let Some(inner) = json::docker_log(line) else {
        return recover(line).ok_or(strict);
    };
    scratch.clear();
    scratch.extend_from_slice(&inner.bytes());
    let inner = trim(scratch);
    let mut parsed = parse_line(inner)
        .ok()
        .or_else(|| recover(inner))
        .ok_or(strict)?;
    parsed.damage = parsed.damage.and(Damage::DOCKER);
    Ok(parsed)
}

fn recover(line: &[u8]) -> Option<LogLine<'_>> {
    prefixed(line)
        .or_else(|| missing_bracket(line))
        .or_else(|| prefixed_json(line))
        .or_else(|| rocksdb(line))
        .or_else(|| legacy::parse(line))
}

/// A head anywhere in the line; the first one wins, so that two records glued together give the
/// first and leave the second in the tail.
fn prefixed(line: &[u8]) -> Option<LogLine<'_>> {
    memchr_iter(b'[', line).find_map(|at| {
        let stamp = line.get(at + 1..at + 1 + STAMP_LEN)?;
        Stamp::parse(stamp)?;
        let mut parsed = unified::parse_loosely(&line[at..], line)?;
        if at > 0 {
            parsed.prefix = &line[..at];
            parsed.damage = parsed.damage.and(Damage::PREFIX);
        }
        Some(parsed)
    })
}

/// A JSON record behind the head of a container runtime.
fn prefixed_json(line: &[u8]) -> Option<LogLine<'_>> {
    let at = memchr_iter(b'{', line).next().filter(|&at| at > 0)?;
    let mut parsed = json::parse(&line[at..], at, |_| {}).ok()?;
    parsed.prefix = &line[..at];
    parsed.damage = Damage::PREFIX;
    Some(parsed)
}

/// A stamp whose opening bracket was lost in copying.
fn missing_bracket(line: &[u8]) -> Option<LogLine<'_>> {
    let stamp = line.get(..STAMP_LEN)?;
    let time = Stamp::parse(stamp)?;
    let rest = line.get(STAMP_LEN..)?.strip_prefix(b"] ")?;
    let mut parsed = unified::parse_loosely(rest, line)?;
    parsed.time = Some(time);
    parsed.time_text = stamp;
    parsed.damage = parsed.damage.and(Damage::NO_BRACKET);
    Some(parsed)
}

/// `[time][thread][LEVEL] text`: `RocksDB`'s own lines in TiKV's frame.
fn rocksdb(line: &[u8]) -> Option<LogLine<'_>> {
    let time_text = line.strip_prefix(b"[")?.get(..STAMP_LEN)?;
    let rest = line.get(STAMP_LEN + 1..)?.strip_prefix(b"][")?;
    let rest = &rest[memchr_iter(b']', rest).next()?..];
    let rest = rest.strip_prefix(b"][")?;
    let end = memchr_iter(b']', rest).next()?;
    let mut parsed = LogLine::new(line, Format::RocksDb);
    parsed.time = Some(Stamp::parse(time_text)?);
    parsed.time_text = time_text;
    parsed.level = Some(Level::parse(&rest[..end])?);
    parsed.level_text = &rest[..end];
    parsed.message = Some(Text::bare(rest[end + 1..].trim_ascii()));
    parsed.damage = Damage::ROCKSDB;
    Some(parsed)
}
