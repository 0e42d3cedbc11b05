//! What happens in an incident, as a list of moments at which PD first says something. Both are read alike.

use std::time::Duration;

use operator_sim::{Cluster, Shape};
use serde_json::Value;

use super::polls::{Poll, recorded, simulated};

/// Store ids that stand for the incident's entities.
type Touched<'a> = &'a [u64];
type Holds = fn(&Poll, Touched<'_>) -> bool;

/// A moment: the first poll, not before `from` seconds, of this member and path for which something holds.
#[derive(Clone, Copy)]
struct Milestone {
    name: &'static str,
    from: f64,
    member: usize,
    path: &'static str,
    holds: Holds,
    /// How far apart the two moments may lie: phases of heartbeats and polls, and chance.
    within: f64,
}

const fn stores(name: &'static str, from: f64, within: f64, holds: Holds) -> Milestone {
    said(name, "/stores", from, within, holds)
}

const fn said(
    name: &'static str,
    path: &'static str,
    from: f64,
    within: f64,
    holds: Holds,
) -> Milestone {
    Milestone {
        name,
        from,
        member: 0,
        path,
        holds,
        within,
    }
}

const fn of_member(member: usize, milestone: Milestone) -> Milestone {
    Milestone {
        member,
        ..milestone
    }
}

struct Incident {
    recording: &'static str,
    /// Faults of the simulator, `at` the incident's first event.
    faults: &'static [&'static str],
    touched: &'static [u64],
    /// The names of the same stores in the recording.
    names: &'static [&'static str],
    until: u64,
    milestones: &'static [Milestone],
}

fn all(poll: &Poll) -> impl Iterator<Item = &Value> {
    poll.body["stores"].as_array().into_iter().flatten()
}

fn touched<'a>(poll: &'a Poll, ids: Touched<'a>) -> impl Iterator<Item = &'a Value> {
    all(poll).filter(move |store| {
        store["store"]["id"]
            .as_u64()
            .is_some_and(|id| ids.contains(&id))
    })
}

/// Whether something holds for every touched store, and there is one.
fn each(poll: &Poll, ids: Touched<'_>, holds: impl Fn(&Value) -> bool) -> bool {
    poll.status == 200 && touched(poll, ids).count() == ids.len() && touched(poll, ids).all(holds)
}

const DISCONNECTED: Holds = |poll, ids| {
    each(poll, ids, |store| {
        store["store"]["state_name"] == "Disconnected"
    })
};
const UP: Holds = |poll, ids| each(poll, ids, |store| store["store"]["state_name"] == "Up");
const LEADS_NOTHING: Holds =
    |poll, ids| each(poll, ids, |store| store["status"]["leader_count"] == 0);
const LEADS: Holds = |poll, ids| {
    each(poll, ids, |store| {
        store["status"]["leader_count"].as_u64() > Some(0)
    })
};
const BUSY: Holds = |poll, ids| each(poll, ids, |store| store["status"]["is_busy"] == true);
const IDLE: Holds =
    |poll, ids| UP(poll, ids) && each(poll, ids, |store| store["status"]["is_busy"] != true);
const SOME: Holds = |poll, _| poll.body["count"].as_u64() > Some(0);
const NONE: Holds = |poll, _| poll.body["count"] == 0;
const REDIRECT_FAILED: Holds = |poll, _| {
    poll.status == 500
        && poll
            .body
            .as_str()
            .is_some_and(|text| text.contains("redirect failed"))
};
const REFUSED: Holds = |poll, _| poll.status == 0;
const ALL_UNSIZED: Holds = |poll, _| {
    let blank = |store: &Value| {
        store["status"]["capacity"] == "0B" && store["store"]["state_name"] == "Disconnected"
    };
    poll.status == 200 && all(poll).count() == 3 && all(poll).all(blank)
};
const ALL_SIZED: Holds = |poll, _| {
    let whole =
        |store: &Value| store["status"]["capacity"] != "0B" && store["store"]["state_name"] == "Up";
    poll.status == 200 && all(poll).count() == 3 && all(poll).all(whole)
};
const ONE_UNHEALTHY: Holds = |poll, _| {
    let members = poll.body.as_array().into_iter().flatten();
    members.filter(|member| member["health"] == false).count() == 1
};
const NO_SCHEDULER: Holds = |poll, _| poll.body.as_array().is_some_and(Vec::is_empty);
const SCHEDULERS: Holds = |poll, _| poll.body.as_array().is_some_and(|names| names.len() >= 5);
/// Four fifths of the disk are full.
const FULL: Holds = |poll, ids| {
    let bytes = |text: &Value| -> Option<f64> {
        let text = text.as_str()?;
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "B" => 0,
            "KiB" => 10,
            "MiB" => 20,
            "GiB" => 30,
            _ => return None,
        };
        Some(digits.parse::<f64>().ok()? * f64::from(1_u32 << unit))
    };
    each(poll, ids, |store| {
        let sizes = (
            bytes(&store["status"]["available"]),
            bytes(&store["status"]["capacity"]),
        );
        matches!(sizes, (Some(available), Some(capacity)) if available < 0.2 * capacity)
    })
};
const HOT: Holds = |poll, _| {
    let stores = poll.body["as_leader"].as_object().into_iter().flatten();
    stores
        .filter_map(|(_, store)| store["regions_count"].as_u64())
        .sum::<u64>()
        > 0
};

static INCIDENTS: &[Incident] = &[
    Incident {
        recording: "store-killed",
        faults: &["store-killed store=2 at=60s for=200s"],
        touched: &[2],
        names: &["tikv-1"],
        until: 260,
        milestones: &[
            said(
                "pending peers",
                "/regions/check/pending-peer",
                0.0,
                8.0,
                SOME,
            ),
            stores("disconnected", 0.0, 10.0, DISCONNECTED),
            stores("leads nothing", 0.0, 10.0, LEADS_NOTHING),
            said(
                "pending over",
                "/regions/check/pending-peer",
                200.0,
                6.0,
                NONE,
            ),
            stores("up and busy", 200.0, 6.0, BUSY),
            stores("leads again", 200.0, 25.0, LEADS),
            stores("busy no more", 200.0, 15.0, IDLE),
        ],
    },
    Incident {
        recording: "store-frozen",
        faults: &["store-frozen store=2 at=60s for=120s"],
        touched: &[2],
        names: &["tikv-2"],
        until: 200,
        milestones: &[
            stores("disconnected", 0.0, 10.0, DISCONNECTED),
            said(
                "pending peers",
                "/regions/check/pending-peer",
                0.0,
                8.0,
                SOME,
            ),
            stores("leads nothing", 0.0, 10.0, LEADS_NOTHING),
            stores("up", 120.0, 4.0, UP),
            said(
                "pending over",
                "/regions/check/pending-peer",
                120.0,
                4.0,
                NONE,
            ),
            stores("leads again", 120.0, 6.0, LEADS),
        ],
    },
    Incident {
        recording: "quorum-lost",
        faults: &["store-killed store=1,3 at=60s for=150s"],
        touched: &[1, 3],
        names: &["tikv-0", "tikv-2"],
        until: 230,
        milestones: &[
            stores("disconnected", 0.0, 10.0, DISCONNECTED),
            stores("still called leaders", 20.0, 4.0, LEADS),
            said(
                "nothing pending",
                "/regions/check/pending-peer",
                -60.0,
                4.0,
                NONE,
            ),
            said("nothing down", "/regions/check/down-peer", -60.0, 4.0, NONE),
            stores("up and busy", 150.0, 6.0, BUSY),
            stores("busy no more", 150.0, 18.0, IDLE),
        ],
    },
    Incident {
        recording: "pd-leader-killed",
        faults: &["pd-killed member=leader at=60s for=90s"],
        touched: &[],
        names: &[],
        until: 130,
        milestones: &[
            stores("refused", 0.0, 3.0, REFUSED),
            of_member(1, stores("redirect failed", 0.0, 3.0, REDIRECT_FAILED)),
            of_member(1, stores("all without sizes", 0.0, 4.0, ALL_UNSIZED)),
            of_member(1, stores("all with sizes", 11.0, 10.0, ALL_SIZED)),
            stores("answers again", 90.0, 3.0, ALL_SIZED),
        ],
    },
    Incident {
        recording: "pd-all-down",
        faults: &["pd-killed member=all at=60s for=75s"],
        touched: &[],
        names: &[],
        until: 160,
        milestones: &[
            stores("refused", 0.0, 3.0, REFUSED),
            stores("all without sizes", 75.0, 6.0, ALL_UNSIZED),
            said("no scheduler", "/schedulers", 75.0, 6.0, NO_SCHEDULER),
            stores("all with sizes", 75.0, 12.0, ALL_SIZED),
            said("schedulers", "/schedulers", 85.0, 10.0, SCHEDULERS),
        ],
    },
    Incident {
        recording: "evict-leader-left",
        faults: &["evict-leader-left store=2 at=60s for=150s"],
        touched: &[2],
        names: &["tikv-0"],
        until: 200,
        milestones: &[
            stores("leads nothing", 0.0, 4.0, LEADS_NOTHING),
            stores("leads again", 150.0, 4.0, LEADS),
        ],
    },
    Incident {
        recording: "hot-key",
        faults: &["hot-write region=4 at=60s"],
        touched: &[],
        names: &[],
        until: 280,
        milestones: &[said("listed", "/hotspot/regions/write", 0.0, 60.0, HOT)],
    },
    Incident {
        recording: "crash-loop",
        faults: &[
            "store-restarted store=2 away=5s at=60s",
            "store-restarted store=2 away=5s at=100s",
            "store-restarted store=2 away=5s at=140s",
            "store-restarted store=2 away=5s at=180s",
        ],
        touched: &[2],
        names: &["tikv-2"],
        until: 210,
        milestones: &[
            stores("busy after the first", 0.0, 8.0, BUSY),
            stores("busy after the second", 40.0, 8.0, BUSY),
            stores("busy after the third", 80.0, 8.0, BUSY),
            stores("busy after the fourth", 120.0, 8.0, BUSY),
            stores("busy no more", 140.0, 15.0, IDLE),
            stores("leads again", 150.0, 25.0, LEADS),
        ],
    },
    Incident {
        recording: "rolling-restart",
        faults: &[
            "evict-leader-left store=1 at=60s for=20600ms",
            "store-stopped store=1 at=60600ms for=100ms",
            "evict-leader-left store=2 at=95600ms for=20700ms",
            "store-stopped store=2 at=96400ms for=100ms",
            "evict-leader-left store=3 at=131400ms for=20600ms",
            "store-stopped store=3 at=132s for=100ms",
        ],
        touched: &[1],
        names: &["tikv-0"],
        until: 150,
        milestones: &[
            stores("leads nothing", 0.0, 4.0, LEADS_NOTHING),
            stores("busy", 2.0, 8.0, BUSY),
            stores("busy no more", 14.0, 15.0, IDLE),
            stores("leads again", 20.0, 12.0, LEADS),
        ],
    },
    Incident {
        recording: "disk-fills",
        faults: &["disk-fills store=1 level=0.87 over=330s at=60s"],
        touched: &[1],
        names: &["tikv-0"],
        until: 380,
        milestones: &[
            stores("up throughout", -10.0, 4.0, UP),
            stores("four fifths full", 0.0, 110.0, FULL),
        ],
    },
    Incident {
        recording: "store-slow",
        faults: &["disk-slow store=2 factor=12 at=60s for=150s"],
        touched: &[2],
        names: &["tikv-1"],
        until: 200,
        milestones: &[stores("up throughout", -60.0, 4.0, UP)],
    },
    Incident {
        recording: "healthy",
        faults: &[],
        touched: &[1, 2, 3],
        names: &["tikv-0", "tikv-1", "tikv-2"],
        until: 100,
        milestones: &[
            stores("up throughout", -60.0, 70.0, UP),
            said(
                "nothing pending",
                "/regions/check/pending-peer",
                -60.0,
                70.0,
                NONE,
            ),
        ],
    },
];

fn first(polls: &[Poll], milestone: &Milestone, ids: Touched<'_>) -> Option<f64> {
    // A recording keeps only changes: what held before `from` holds on until something else is said.
    let of = |poll: &&Poll| poll.path == milestone.path && poll.member == milestone.member;
    let before = polls
        .iter()
        .filter(of)
        .take_while(|poll| poll.at < milestone.from)
        .last();
    if before.is_some_and(|poll| (milestone.holds)(poll, ids)) {
        return Some(milestone.from);
    }
    let after = polls
        .iter()
        .filter(of)
        .filter(|poll| poll.at >= milestone.from);
    after
        .into_iter()
        .find(|poll| (milestone.holds)(poll, ids))
        .map(|poll| poll.at)
}

pub(crate) fn cluster_like_the_recorded(seed: u64, members: u8) -> Cluster {
    Cluster::new(Shape {
        seed,
        stores: 3,
        regions: 45,
        members,
        region_mib: 2,
        capacity_bytes: 20 << 30,
        fill: 0.02,
        ..Shape::default()
    })
    .expect("the shape is sound")
}

/// Both courses of one incident; what differs.
fn compare(incident: &Incident, folder: &std::path::Path, seed: u64) -> Vec<String> {
    let (theirs, _, truth) = recorded(folder);
    let members = u8::try_from(truth["pds"].as_u64().unwrap_or(1)).unwrap_or(1);
    let ids: Vec<u64> = incident
        .names
        .iter()
        .map(|name| {
            truth["store_ids"][name]
                .as_u64()
                .expect("the truth knows the store")
        })
        .collect();
    let mut cluster = cluster_like_the_recorded(seed, members);
    cluster.advance(Duration::from_secs(400));
    for fault in incident.faults {
        cluster.inject(fault).expect("the fault is known");
    }
    let ours = simulated(&mut cluster, usize::from(members), incident.until);
    let mut wrong = Vec::new();
    let mut moments: Vec<(f64, f64, &str)> = Vec::new();
    for milestone in incident.milestones {
        let (their, our) = (
            first(&theirs, milestone, &ids),
            first(&ours, milestone, incident.touched),
        );
        match (their, our) {
            (Some(their), Some(our)) if (their - our).abs() <= milestone.within => {
                moments.push((their, our, milestone.name));
            }
            _ => wrong.push(format!(
                "{} (seed {seed}): `{}` at {our:?}, recorded at {their:?}, within {}",
                incident.recording, milestone.name, milestone.within
            )),
        }
    }
    for (their, our, name) in &moments {
        for (their_later, our_later, later) in &moments {
            // Moments that lie close together may change places with the phase of a heartbeat.
            if their + 6.0 < *their_later && our > our_later {
                wrong.push(format!(
                    "{} (seed {seed}): `{name}` after `{later}`",
                    incident.recording
                ));
            }
        }
    }
    wrong
}

#[test]
fn incidents_take_their_recorded_course() {
    let Some(recordings) = super::recordings() else {
        return;
    };
    let mut wrong = Vec::new();
    for incident in INCIDENTS {
        for seed in 1..=4 {
            wrong.extend(compare(
                incident,
                &recordings.join(incident.recording),
                seed,
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_course_that_differs_is_noticed() {
    let Some(recordings) = super::recordings() else {
        return;
    };
    let healthy = Incident {
        faults: &[],
        ..Incident {
            recording: "store-killed",
            faults: &[],
            touched: &[2],
            names: &["tikv-1"],
            until: 60,
            milestones: INCIDENTS[0].milestones,
        }
    };
    let wrong = compare(&healthy, &recordings.join("store-killed"), 1);
    assert!(wrong.len() >= 3, "{wrong:?}");
}

#[test]
fn one_member_is_unhealthy_while_it_is_dead() {
    let mut cluster = cluster_like_the_recorded(1, 3);
    cluster
        .inject("pd-killed member=pd-2 at=60s")
        .expect("the fault is known");
    let ours = simulated(&mut cluster, 3, 10);
    let milestone = said("one unhealthy", "/health", 0.0, 3.0, ONE_UNHEALTHY);
    assert_eq!(first(&ours, &milestone, &[]), Some(0.0));
}
