//! What can be read, but for regions.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use operator_core::{Entity, Error, Fault, Listing, Result, Store, StoreId};

use super::ask::{Query, Who};
use super::decode::Unsettled;
use super::{PdClient, decode};
use crate::facts::{
    ClockReading, ClusterStatus, HotSpots, MoveKind, MoveProgress, PausedScheduler, PdHealth,
    PdMember, PdMembers, PdOperator, PlacementRule, ReplicationConfig, ScheduleConfig, Schedulers,
    StoreFlow,
};

/// Each of these reads fails only when no endpoint gave a usable answer; the error then accounts for every
/// one of them. What PD declined, or does not have, is an error of its own.
impl PdClient {
    /// Every store that belongs to the cluster: not those that were removed for good.
    ///
    /// # Errors
    /// When no endpoint gave the list. A bad item is a gap about it.
    pub async fn stores(&self) -> Result<Listing<Store>> {
        let query = Query::new("read stores", "/stores");
        self.read(query, |body| {
            let unsettled = self.unsettled.lock();
            let mut unsettled = unsettled.unwrap_or_else(PoisonError::into_inner);
            decode::stores(body, &mut unsettled, self.clock.now())
        })
        .await
    }

    /// The stores that were removed for good. PD forgets them after 30 days.
    ///
    /// # Errors
    /// When no endpoint gave the list. A bad item is a gap about it.
    pub async fn tombstones(&self) -> Result<Listing<Store>> {
        let query = Query::new("read removed stores", "/stores?state=2");
        // They report nothing, and say nothing about whether others do.
        let decode =
            |body: &[u8]| decode::stores(body, &mut Unsettled::default(), self.clock.now());
        self.read(query, decode).await
    }

    /// One store, which may be one that was removed for good; with gaps about what is missing.
    ///
    /// # Errors
    /// [`Fault::NotFound`] when there is no such store.
    pub async fn store(&self, id: StoreId) -> Result<Listing<Store>> {
        let path = format!("/store/{id}");
        let query = Query {
            about: Some(Entity::Store(id)),
            ..Query::new("read store", &path)
        };
        self.read(query, decode::store).await
    }

    /// How far the removal, or the filling, of a store has come; none where none is under way.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn progress_of(&self, store: StoreId) -> Result<Option<MoveProgress>> {
        self.progress(&format!("/stores/progress?id={store}")).await
    }

    /// How far all removals, or fillings, have come together; none where none is under way.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn progress_of_all(&self, kind: MoveKind) -> Result<Option<MoveProgress>> {
        let action = match kind {
            MoveKind::Removing => "removing",
            MoveKind::Preparing => "preparing",
        };
        self.progress(&format!("/stores/progress?action={action}"))
            .await
    }

    async fn progress(&self, path: &str) -> Result<Option<MoveProgress>> {
        let query = Query {
            about: Some(Entity::Cluster),
            ..Query::new("read progress of stores", path)
        };
        found(self.read(query, decode::progress).await)
    }

    /// PD's members and who leads them, as one member sees it by itself.
    ///
    /// # Errors
    /// When no endpoint told.
    pub async fn members(&self) -> Result<PdMembers> {
        let query = Query {
            who: Who::Anyone,
            ..Query::new("read members", "/members")
        };
        let taken = self.take_whole(query, decode::members).await?;
        let members = PdMembers {
            server_time: taken.clock.map(|clock| clock.theirs),
            ..taken.value
        };
        self.learn(&members);
        Ok(members)
    }

    /// Who leads PD, as one member believes; nobody does for some seconds after a leader was lost. Each
    /// member answers this at once, which [`members`](Self::members) does not while there is no leader.
    ///
    /// # Errors
    /// When no endpoint told.
    pub async fn leader(&self) -> Result<Option<PdMember>> {
        let query = Query {
            who: Who::Anyone,
            ..Query::new("read leader", "/leader")
        };
        self.read(query, decode::leader).await
    }

    /// What time it is for the member that answers, beside ours.
    ///
    /// # Errors
    /// When no endpoint told.
    pub async fn member_clock(&self) -> Result<ClockReading> {
        let operation = "read PD's clock";
        let query = Query {
            who: Who::Anyone,
            ..Query::new(operation, "/leader")
        };
        let undated = || {
            let expected = "a header `Date`".into();
            let found = "none".into();
            Error::new(operation, Fault::Decode { expected, found }).at(self.to_string())
        };
        let taken = self.take_whole(query, decode::leader).await?;
        taken.clock.ok_or_else(undated)
    }

    /// How one member found the others. It takes 3 s for each that does not answer.
    ///
    /// # Errors
    /// When no endpoint told.
    pub async fn health(&self) -> Result<Listing<PdHealth>> {
        let query = Query {
            who: Who::Anyone,
            within: Some(self.page_within),
            ..Query::new("read health of members", "/health")
        };
        self.read(query, decode::health).await
    }

    /// How far the cluster has come.
    ///
    /// # Errors
    /// When no endpoint told.
    pub async fn cluster_status(&self) -> Result<ClusterStatus> {
        let query = Query::new("read cluster status", "/cluster/status");
        self.read(query, decode::cluster_status).await
    }

    /// The version of PD, without a leading `v`; none where it was built without one.
    ///
    /// # Errors
    /// When no endpoint told.
    pub async fn version(&self) -> Result<Option<String>> {
        let query = Query::new("read version", "/version");
        self.read(query, decode::version).await
    }

    /// What is hot in writes.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn hot_writes(&self) -> Result<HotSpots> {
        let query = Query::new("read hot writes", "/hotspot/regions/write");
        self.read(query, decode::hot_spots).await
    }

    /// What is hot in reads.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn hot_reads(&self) -> Result<HotSpots> {
        let query = Query::new("read hot reads", "/hotspot/regions/read");
        self.read(query, decode::hot_spots).await
    }

    /// What goes in and out of each store.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn store_flows(&self) -> Result<BTreeMap<StoreId, StoreFlow>> {
        let query = Query::new("read hot stores", "/hotspot/stores");
        self.read(query, decode::hot_stores).await
    }

    /// PD's schedulers: which there are, which are paused, and which stores leaders are kept off.
    ///
    /// # Errors
    /// When one of the three could not be read.
    pub async fn schedulers(&self) -> Result<Schedulers> {
        let query = Query::new("read schedulers", "/schedulers");
        let present = self.read(query, decode::schedulers).await?;
        let evicts = |name: &String| name.starts_with("evict-leader-scheduler");
        let evicting = match present.iter().any(evicts) {
            true => self.evicting().await?,
            false => Vec::new(),
        };
        Ok(Schedulers {
            paused: self.paused_schedulers().await?,
            present,
            evicting,
        })
    }

    /// Most of the time nothing is paused, and then nothing more is asked. Since when, and until when, only
    /// newer versions tell: a pause without its times is still one.
    async fn paused_schedulers(&self) -> Result<Vec<PausedScheduler>> {
        let operation = "read paused schedulers";
        let paused = Query::new(operation, "/schedulers?status=paused");
        let paused = self.read(paused, decode::paused).await?;
        if paused.is_empty() {
            return Ok(paused);
        }
        let timed = Query::new(operation, "/schedulers?status=paused&timestamp");
        Ok(self.read(timed, decode::paused).await.unwrap_or(paused))
    }

    /// The stores that leaders are kept off. Without the scheduler there is not even its path.
    async fn evicting(&self) -> Result<Vec<StoreId>> {
        let path = "/scheduler-config/evict-leader-scheduler/list";
        let query = Query::new("read evicted stores", path);
        match self.read(query, decode::evicting).await {
            Err(error) if matches!(*error.fault, Fault::Status { code: 404, .. }) => Ok(Vec::new()),
            other => other,
        }
    }

    /// The operators that are under way.
    ///
    /// # Errors
    /// When they could not be read. One that cannot be made out is a gap.
    pub async fn operators(&self) -> Result<Listing<PdOperator>> {
        let query = Query::new("read operators", "/operators");
        self.read(query, decode::operators).await
    }

    /// The operators that were over within the last ten minutes, as far as this PD leader knows.
    ///
    /// # Errors
    /// When they could not be read. One that cannot be made out is a gap.
    pub async fn recent_operators(&self) -> Result<Listing<PdOperator>> {
        let query = Query::new("read recent operators", "/operators/records");
        match self.read(query, decode::operators).await {
            Err(error) if says_none(&error) => Ok(Listing::whole(Vec::new())),
            other => other,
        }
    }

    /// How much PD may do at once.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn schedule_config(&self) -> Result<ScheduleConfig> {
        let query = Query::new("read schedule configuration", "/config/schedule");
        self.read(query, decode::schedule_config).await
    }

    /// How many replicas there are, and where.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn replication_config(&self) -> Result<ReplicationConfig> {
        let query = Query::new("read replication configuration", "/config/replicate");
        self.read(query, decode::replication_config).await
    }

    /// The rules by which replicas are placed; none where rules are switched off.
    ///
    /// # Errors
    /// When they could not be read. A bad rule is a gap.
    pub async fn placement_rules(&self) -> Result<Option<Listing<PlacementRule>>> {
        let query = Query::new("read placement rules", "/config/rules");
        match self.read(query, decode::placement_rules).await {
            Ok(rules) => Ok(Some(rules)),
            Err(error) if switched_off(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn found<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// With nothing to show, records of operators are a refusal.
fn says_none(error: &Error) -> bool {
    matches!(&*error.fault, Fault::Refused { reason, .. } if reason.starts_with("operator not found"))
}

fn switched_off(error: &Error) -> bool {
    matches!(&*error.fault, Fault::Refused { reason, .. } if reason.starts_with("placement rules feature is disabled"))
}
