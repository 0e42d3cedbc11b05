//! `operator region ID`, or the one that holds a key.

use operator_core::{RegionId, Regions as _};
use serde::Serialize;

use super::row::Row;
use crate::args::Region;
use crate::config::Config;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::report::{Payload, Reads, Seen};
use crate::target::{Pace, Target};
use crate::text::{Line, Page, Tone};
use crate::units;

/// One region.
#[derive(Debug, Serialize)]
struct One {
    region: Option<Row>,
}

pub(crate) async fn run(args: Region, config: Config, context: &Context) -> Outcome {
    let target = Target::resolve(&args.whom, config, Pace::Midway).await?;
    let (pd, mut reads) = (target.pd()?, Reads::default());
    let read = match (&args.key, args.id) {
        (Some(key), _) => pd.holding(key).await,
        (None, id) => pd.one(id.unwrap_or(RegionId(0))).await,
    };
    let region = match read {
        Err(error) if error.is_not_found() => {
            let hint = "operator regions --from '' lists them in the order of their keys";
            return Err(Failure::unseen(&error).hint(hint));
        }
        read => reads.keep("region", read),
    };
    let one = One {
        region: region.as_ref().map(Row::of),
    };
    let seen = Seen::new("region", target.clock.now(), &target.shown, one, reads);
    context.say(&seen)?;
    Ok(seen.exit())
}

impl Payload for One {
    fn page(&self, _: &Context) -> Page {
        let mut page = Page::default();
        let Some(row) = &self.region else { return page };
        page.line(Line::default().strong(format!("region/{}", row.id)));
        let (start, end) = (&row.start_key, &row.end_key);
        page.fact(
            "keys from",
            if start.is_empty() { "the first" } else { start },
        );
        page.fact("up to", if end.is_empty() { "the last" } else { end });
        if let (Some(conf_ver), Some(version)) = (row.conf_ver, row.version) {
            page.fact("epoch", format!("conf_ver {conf_ver}, version {version}"));
        }
        let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "?".to_owned());
        let size = or_unknown(row.size_bytes.map(units::bytes));
        let keys = or_unknown(row.keys.map(|keys| keys.to_string()));
        page.fact("size", format!("{size}, {keys} keys"));
        let flow = |bytes: Option<u64>, keys: Option<u64>| {
            let bytes = or_unknown(bytes.map(units::bytes));
            let keys = or_unknown(keys.map(|keys| keys.to_string()));
            format!("{bytes}, {keys} keys within a reporting interval")
        };
        page.fact("written", flow(row.written_bytes, row.written_keys));
        page.fact("read", flow(row.read_bytes, row.read_keys));
        if row.leader.is_none() {
            page.fact("leader", Line::default().tone(Tone::Bad, "none is known"));
        }
        for peer in &row.peers {
            let leads = row
                .leader
                .as_ref()
                .is_some_and(|leader| leader.id == peer.id);
            let mut line = Line::new(format!("store/{} {}", peer.store, peer.role));
            if leads {
                line = line.plain(", ").strong("leads");
            }
            if peer.witness {
                line = line.plain(", witness");
            }
            if peer.pending {
                line = line.plain(", ").tone(Tone::Warn, "catching up");
            }
            if let Some(seconds) = peer.down_seconds {
                #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
                let down = units::seconds(seconds as f64);
                line = line
                    .plain(", ")
                    .tone(Tone::Bad, format!("not heard from for {down}"));
            }
            page.fact(&format!("peer {}", peer.id), line);
        }
        page
    }
}
