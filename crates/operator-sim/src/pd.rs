//! PD's HTTP API: one routing table, and who answers a request.
//!
//! An answer is a function of the model and the request. A request that changes something says what it changes as a
//! value, which is applied after the answer is made.

mod config;
mod effect;
mod errors;
mod format;
mod hot;
pub(crate) mod keys;
mod members;
mod operators;
mod regions;
mod removal;
mod schedulers;
mod stats;
mod stores;
mod wire;

use std::time::Duration;

use crate::cluster::Cluster;
use crate::cluster::ms;
use crate::cluster::pd::MemberProcess;
use crate::http::{Outcome, Params, Reply, Request, date};
use crate::num;
use crate::shape::Release;

use effect::Effect;

/// Where an endpoint gets its answer from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Any member can say it.
    Any,
    /// Any member says it about itself (from 8.5.5 on; before, the leader does).
    Itself,
    /// Only a leader with a running cluster.
    Leader,
    /// The same, but a follower has a copy (from 8.5.7 on).
    Regions,
}

/// One endpoint.
#[derive(Clone, Copy)]
struct Route {
    method: &'static str,
    /// `{}` stands for one segment.
    path: &'static str,
    since: Release,
    reach: Reach,
    answer: fn(&mut Ask<'_>) -> Reply,
}

/// A request on its way to its answer.
struct Ask<'a> {
    cluster: &'a Cluster,
    request: &'a Request,
    params: Params,
    /// What stood for `{}`.
    segments: Vec<String>,
    /// The member that answers.
    member: usize,
    /// It answers without leading.
    follows: bool,
    effect: Option<Effect>,
}

impl Ask<'_> {
    fn segment(&self) -> &str {
        self.segments.first().map_or("", String::as_str)
    }

    fn release(&self) -> Release {
        self.cluster.shape.release
    }

    fn body_json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.request.body).ok()
    }
}

const fn get(path: &'static str, reach: Reach, answer: fn(&mut Ask<'_>) -> Reply) -> Route {
    route("GET", path, reach, answer)
}

const fn route(
    method: &'static str,
    path: &'static str,
    reach: Reach,
    answer: fn(&mut Ask<'_>) -> Reply,
) -> Route {
    Route {
        method,
        path,
        since: Release::V6_5,
        reach,
        answer,
    }
}

const fn since(release: Release, route: Route) -> Route {
    Route {
        since: release,
        ..route
    }
}

use Reach::{Any, Itself, Leader, Regions};

/// Every endpoint there is.
static ROUTES: &[Route] = &[
    get("/pd/api/v1/cluster", Any, members::cluster),
    get("/pd/api/v1/cluster/status", Any, members::cluster_status),
    get("/pd/api/v1/members", Any, members::members),
    get("/pd/api/v1/leader", Any, members::leader),
    route("POST", "/pd/api/v1/leader/resign", Leader, members::resign),
    route(
        "POST",
        "/pd/api/v1/leader/transfer/{}",
        Leader,
        members::transfer,
    ),
    get("/pd/api/v1/health", Itself, members::health),
    get("/pd/health", Itself, members::health),
    get("/pd/api/v1/ping", Itself, members::ping),
    get("/pd/ping", Itself, members::ping),
    get("/pd/api/v1/status", Itself, members::status),
    get("/pd/api/v1/version", Itself, members::version),
    since(
        Release::V8_5,
        get("/pd/api/v2/ready", Itself, members::ready),
    ),
    get("/pd/api/v1/stores", Leader, stores::list),
    since(
        Release::V7_5,
        get("/pd/api/v1/stores/check", Leader, stores::check),
    ),
    get("/pd/api/v1/stores/limit", Leader, removal::limits),
    get("/pd/api/v1/stores/progress", Leader, removal::progress),
    get("/pd/api/v1/labels", Leader, stores::labels),
    get("/pd/api/v1/trend", Leader, stores::trend),
    get("/pd/api/v1/store/{}", Leader, stores::one),
    route("DELETE", "/pd/api/v1/store/{}", Leader, removal::remove),
    route(
        "POST",
        "/pd/api/v1/store/{}/state",
        Leader,
        removal::set_state,
    ),
    get("/pd/api/v1/region/id/{}", Regions, regions::by_id),
    get("/pd/api/v1/region/key/{}", Regions, regions::by_key),
    get("/pd/api/v1/regions", Regions, regions::all),
    get("/pd/api/v1/regions/count", Regions, regions::count),
    get("/pd/api/v1/regions/key", Regions, regions::page),
    get("/pd/api/v1/regions/store/{}", Regions, regions::of_store),
    get("/pd/api/v1/regions/writeflow", Regions, regions::top_write),
    get("/pd/api/v1/regions/readflow", Regions, regions::top_read),
    get("/pd/api/v1/regions/size", Regions, regions::top_size),
    get("/pd/api/v1/regions/keys", Regions, regions::top_size),
    get("/pd/api/v1/regions/confver", Regions, regions::top_conf_ver),
    get("/pd/api/v1/regions/version", Regions, regions::top_version),
    get("/pd/api/v1/regions/sibling/{}", Regions, regions::siblings),
    get("/pd/api/v1/regions/range-holes", Regions, regions::holes),
    get("/pd/api/v1/regions/replicated", Leader, regions::replicated),
    get(
        "/pd/api/v1/regions/check/hist-size",
        Regions,
        stats::hist_size,
    ),
    get(
        "/pd/api/v1/regions/check/hist-keys",
        Regions,
        stats::hist_keys,
    ),
    get("/pd/api/v1/regions/check/{}", Leader, regions::ailing),
    get("/pd/api/v1/stats/region", Leader, stats::region),
    get("/pd/api/v1/hotspot/regions/write", Leader, hot::writes),
    get("/pd/api/v1/hotspot/regions/read", Leader, hot::reads),
    get("/pd/api/v1/hotspot/regions/history", Any, hot::history),
    get("/pd/api/v1/hotspot/stores", Leader, hot::stores),
    since(
        Release::V7_5,
        get("/pd/api/v1/hotspot/buckets", Leader, hot::buckets),
    ),
    get("/pd/api/v1/schedulers", Leader, schedulers::list),
    route("POST", "/pd/api/v1/schedulers", Leader, schedulers::add),
    route(
        "POST",
        "/pd/api/v1/schedulers/{}",
        Leader,
        schedulers::pause,
    ),
    route(
        "DELETE",
        "/pd/api/v1/schedulers/{}",
        Leader,
        schedulers::remove,
    ),
    get(
        "/pd/api/v1/schedulers/diagnostic/{}",
        Leader,
        schedulers::diagnostic,
    ),
    get(
        "/pd/api/v1/scheduler-config/{}/list",
        Leader,
        schedulers::evicted,
    ),
    route(
        "DELETE",
        "/pd/api/v1/scheduler-config/{}/delete/{}",
        Leader,
        schedulers::release,
    ),
    get("/pd/api/v1/checker/{}", Leader, schedulers::checker),
    get("/pd/api/v1/config", Itself, config::whole),
    route("POST", "/pd/api/v1/config", Leader, config::set),
    get("/pd/api/v1/config/schedule", Any, config::schedule),
    get("/pd/api/v1/config/replicate", Any, config::replicate),
    get("/pd/api/v1/config/pd-server", Any, config::server),
    get(
        "/pd/api/v1/config/cluster-version",
        Any,
        config::cluster_version,
    ),
    get("/pd/api/v1/config/rules", Leader, config::rules),
    get(
        "/pd/api/v1/config/region-label/rules",
        Leader,
        config::label_rules,
    ),
    get("/pd/api/v1/operators", Leader, operators::list),
    route("POST", "/pd/api/v1/operators", Leader, operators::create),
    get("/pd/api/v1/operators/records", Leader, operators::records),
    get("/pd/api/v1/operators/{}", Leader, operators::one),
    get("/pd/api/v1/min-resolved-ts", Leader, stats::min_resolved_ts),
    get(
        "/pd/api/v1/replication_mode/status",
        Leader,
        stats::replication_mode,
    ),
    get(
        "/pd/api/v1/admin/unsafe/remove-failed-stores/show",
        Leader,
        stats::unsafe_recovery,
    ),
];

/// The paths of all endpoints of PD's face, with their methods, in the order of the table.
pub fn pd_endpoints() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROUTES.iter().map(|route| (route.method, route.path))
}

impl Cluster {
    /// What a member of PD answers; a request that changes something changes it.
    pub fn pd(&mut self, member: usize, request: &Request) -> Outcome {
        let (outcome, effect) = self.pd_answer(member, request);
        if let Some(effect) = effect {
            self.take_effect(effect);
        }
        outcome
    }

    /// The answer and what it changes, as a pure function.
    fn pd_answer(&self, member: usize, request: &Request) -> (Outcome, Option<Effect>) {
        match self.pd.process(member) {
            None | Some(MemberProcess::Dead) => return (Outcome::Refused, None),
            Some(MemberProcess::Frozen) => return (Outcome::Silence, None),
            Some(MemberProcess::Running) => {}
        }
        let spoiled = &self.conditions.pd;
        let (outcome, effect) = if spoiled.fails {
            (Outcome::Reply(Reply::text(500, "internal error")), None)
        } else {
            self.routed(member, request)
        };
        let Outcome::Reply(mut reply) = outcome else {
            return (outcome, effect);
        };
        if spoiled.unknown_keys {
            reply.body = format::with_unknown_keys(reply.body);
        }
        if let Some(delay) = spoiled.slow {
            reply = reply.late(Duration::from_millis(delay));
        }
        if spoiled.truncates {
            reply.cut_at = Some(reply.body.len() / 2);
        }
        let now = num::signed(self.unix_ms()) + spoiled.clock_ahead;
        reply.headers.push(("date", date(now)));
        (Outcome::Reply(reply), effect)
    }

    fn routed(&self, member: usize, request: &Request) -> (Outcome, Option<Effect>) {
        if request.path == "/metrics" {
            let page = crate::prom::member_page(self, member).unwrap_or_default();
            let reply = Reply::new(200, "text/plain; version=0.0.4; charset=utf-8", page);
            return (Outcome::Reply(reply), None);
        }
        let known: Vec<(&Route, Vec<String>)> = ROUTES
            .iter()
            .filter(|route| route.since <= self.shape.release)
            .filter_map(|route| Some((route, segments(route.path, &request.path)?)))
            .collect();
        // A literal path is more than one with a hole.
        let best = known
            .iter()
            .filter(|(route, _)| route.method == request.method)
            .min_by_key(|(_, segments)| segments.len());
        let Some((route, segments)) = best else {
            let reply = if known.is_empty() {
                Reply::text(404, "404 page not found")
            } else {
                Reply::empty(405)
            };
            return (Outcome::Reply(reply), None);
        };
        let (member, follows) = match self.who_answers(member, route, request) {
            Ok(who) => who,
            Err(outcome) => return (outcome, None),
        };
        let mut ask = Ask {
            cluster: self,
            params: request.params(),
            segments: segments.clone(),
            request,
            member,
            follows,
            effect: None,
        };
        let reply = (route.answer)(&mut ask);
        (Outcome::Reply(reply), ask.effect)
    }

    /// The member that answers, and whether it does so without leading; or what the client meets instead.
    fn who_answers(
        &self,
        member: usize,
        route: &Route,
        request: &Request,
    ) -> Result<(usize, bool), Outcome> {
        let release = self.shape.release;
        if self.pd.serving() == Some(member) {
            return Ok((member, false));
        }
        let asked_itself = request
            .header("pd-allow-follower-handle")
            .is_some_and(|v| !v.is_empty());
        let itself = route.reach == Itself && release >= Release::V8_5;
        if asked_itself || itself {
            let copy =
                route.reach == Regions && release >= Release::V8_5 && self.pd.serving().is_some();
            return match route.reach {
                Any | Itself => Ok((member, true)),
                Regions if copy => Ok((member, true)),
                Leader | Regions => Err(Outcome::Reply(errors::not_bootstrapped(release))),
            };
        }
        if request.header("pd-redirector").is_some() {
            return Err(Outcome::Reply(errors::not_the_leader(release)));
        }
        match self
            .pd
            .leader
            .map(|leader| (leader, self.pd.process(leader)))
        {
            Some((leader, Some(MemberProcess::Running))) => Ok((leader, false)),
            Some((_, Some(MemberProcess::Frozen))) => Err(Outcome::Silence),
            Some((_, Some(MemberProcess::Dead) | None)) => {
                Err(Outcome::Reply(errors::redirect_failed(release)))
            }
            None => Err(Outcome::Reply(errors::no_leader(release))),
        }
    }

    /// The cluster's id as PD says it.
    fn said_cluster_id(&self) -> u64 {
        self.pd.cluster_id + u64::from(self.conditions.pd.other_cluster)
    }

    /// How much of the regions' heartbeats PD's present leader has had, from 0 to 1.
    fn gathered(&self, region: u64) -> bool {
        if !self.pd_is_cold() {
            return true;
        }
        let refill = ms(self.shape.timing.pd_refill).max(1);
        crate::prng::hash(self.shape.seed, region, 0xc01d) % refill < self.led_for()
    }
}

/// What stands in the holes of a pattern, if the path is of that form.
fn segments(pattern: &str, path: &str) -> Option<Vec<String>> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut found = Vec::new();
    let mut parts = path.split('/');
    for expected in pattern.split('/') {
        let part = parts.next()?;
        if expected == "{}" {
            found.push(
                String::from_utf8_lossy(&crate::http::decode(part.as_bytes(), false)).into_owned(),
            );
        } else if expected != part {
            return None;
        }
    }
    parts.next().is_none().then_some(found)
}
