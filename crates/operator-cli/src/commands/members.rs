//! `operator members`: PD's members, and who leads them.

use operator_core::Timestamp;
use operator_tikv::{PdHealth, PdMember, PdMembers};
use serde::Serialize;

use crate::args::Look;
use crate::config::Config;
use crate::context::Context;
use crate::failure::Outcome;
use crate::report::{Payload, Reads, Seen};
use crate::target::{Pace, Target};
use crate::text::{Align, Cell, Line, Page, Table, Tone, column, ordered};
use futures_util::future::join;

/// PD's members.
#[derive(Debug, Serialize)]
struct Members {
    cluster_id: Option<u64>,
    leader: Option<String>,
    etcd_leader: Option<String>,
    server_time: Option<String>,
    members: Vec<Row>,
    more: usize,
    #[serde(skip)]
    is_seen: bool,
}

/// One member.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    id: u64,
    leads: bool,
    healthy: Option<bool>,
    leader_priority: i64,
    version: Option<String>,
    client_urls: Vec<String>,
    peer_urls: Vec<String>,
}

impl Row {
    fn of(member: &PdMember, leader: Option<&PdMember>, health: Option<&[PdHealth]>) -> Self {
        let found = health
            .into_iter()
            .flatten()
            .find(|health| health.id == member.id);
        Self {
            name: member.name.clone(),
            id: member.id,
            leads: leader.is_some_and(|leader| leader.id == member.id),
            healthy: found.map(|health| health.healthy),
            leader_priority: member.leader_priority,
            version: member.version.clone(),
            client_urls: member.client_urls.clone(),
            peer_urls: member.peer_urls.clone(),
        }
    }
}

fn table() -> Table<Row> {
    use Align::{Left, Right};
    Table::new([
        column("name", Left, 0, |row: &Row| Cell::text(&row.name)),
        column("role", Left, 0, |row| match row.leads {
            true => Cell::text("leader").tone(Tone::Strong),
            false => Cell::text("follower"),
        }),
        column("health", Left, 0, |row| match row.healthy {
            Some(true) => Cell::text("healthy").tone(Tone::Good),
            Some(false) => Cell::text("unhealthy").tone(Tone::Bad),
            None => Cell::none("?"),
        }),
        column("priority", Right, 2, |row| {
            #[expect(clippy::cast_precision_loss, reason = "it is for sorting")]
            let key = row.leader_priority as f64;
            Cell::number(key, row.leader_priority.to_string())
        }),
        column("version", Left, 1, |row| match &row.version {
            Some(version) => Cell::text(version),
            None => Cell::none("?"),
        }),
        column("id", Right, 4, |row| Cell::count(row.id)),
        column("urls", Left, 3, |row| Cell::text(row.client_urls.join(","))),
    ])
}

impl Payload for Members {
    fn page(&self, context: &Context) -> Page {
        let mut page = Page::default();
        if !self.is_seen {
            return page;
        }
        page = table().page(&self.members, context.terminal.width());
        page.more(self.more);
        if self.leader.is_none() {
            page.line(Line::default().tone(Tone::Bad, "nobody leads"));
        }
        let cluster = self.cluster_id.map(|id| format!("cluster {id}"));
        let time = self
            .server_time
            .as_ref()
            .map(|time| format!("its time is {time}"));
        let said: Vec<String> = cluster.into_iter().chain(time).collect();
        page.line(Line::default().faint(said.join(", ")));
        page
    }
}

pub(crate) async fn run(look: Look, config: Config, context: &Context) -> Outcome {
    let target = Target::resolve(&look.whom, config, Pace::Midway).await?;
    let (pd, mut reads) = (target.pd()?, Reads::default());
    let (members, health) = join(pd.members(), pd.health()).await;
    let (members, health) = (reads.keep("members", members), reads.keep("health", health));
    reads.misses(
        members
            .iter()
            .flat_map(|members| members.members.gaps.iter()),
    );
    let health = health.map(|health| health.items);
    let payload = payload(members.as_ref(), health.as_deref(), &look)?;
    let seen = Seen::new("members", target.clock.now(), &target.shown, payload, reads);
    context.say(&seen)?;
    Ok(seen.exit())
}

fn payload(
    members: Option<&PdMembers>,
    health: Option<&[PdHealth]>,
    look: &Look,
) -> Outcome<Members> {
    let leader = members.and_then(|members| members.leader.as_ref());
    let rows = members.iter().flat_map(|members| &members.members.items);
    let rows = rows.map(|member| Row::of(member, leader, health)).collect();
    let (rows, more) = ordered(&table(), rows, &look.order)?;
    let name = |member: Option<&PdMember>| member.map(|member| member.name.clone());
    Ok(Members {
        is_seen: members.is_some(),
        cluster_id: members.map(|members| members.cluster_id),
        leader: name(leader),
        etcd_leader: name(members.and_then(|members| members.etcd_leader.as_ref())),
        server_time: members
            .and_then(|members| members.server_time)
            .map(|time: Timestamp| time.to_string()),
        members: rows,
        more,
    })
}
