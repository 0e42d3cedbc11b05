//! Numbers as Prometheus writes them.

/// A sample's value: decimal, with an exponent only far from one.
pub(crate) fn number(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return format!("{value}");
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent
        .strip_prefix('-')
        .map_or(("+", exponent), |e| ("-", e));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// A time as Prometheus writes it: seconds, with as many decimals as needed.
pub(crate) fn time(unix_ms: i64) -> String {
    let (seconds, rest) = (unix_ms.div_euclid(1000), unix_ms.rem_euclid(1000));
    if rest == 0 {
        seconds.to_string()
    } else {
        let decimals = format!("{rest:03}");
        format!("{seconds}.{}", decimals.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_like_prometheus_own() {
        for (value, expected) in [
            (1.0, "1"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (1.5e-9, "1.5e-09"),
            (0.000_001, "0.000001"),
            (2e21, "2e+21"),
            (2e12, "2000000000000"),
            (0.25, "0.25"),
        ] {
            assert_eq!(number(value), expected);
        }
        assert_eq!(time(1_795_167_270_143), "1795167270.143");
        assert_eq!(time(5_000), "5");
    }
}
