//! The suite that every backend must pass: plain async functions, one a guarantee, over a [`Backend`] that makes nodes
//! of one cluster.
//!
//! A backend's integration test is one line:
//! ```text
//! engine::conformance_tests!(async { MyBackend::start().await });
//! ```
//! which makes one `#[tokio::test]` a case, each on a backend of its own, so that cases are named in the output and run
//! side by side.
//!
//! What the cases take care of, so that they are true of a backend behind a network, too:
//! - deliveries may come late: a case waits for what must come, and proves that something does *not* come by waiting
//!   for something later that must;
//! - time passes by [`Backend::pass`] alone, and every duration is a multiple of [`Backend::unit`];
//! - other rooms, clients and nodes may exist; ids and names come from the backend.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // these are tests that live in the library
#![allow(clippy::missing_panics_doc)]

pub mod amendments;
pub mod bus;
pub mod census;
pub mod directory;
pub mod lease;
pub mod members;
pub mod presence;
pub mod records;
pub mod room_list;
pub mod throttle;

use crate::{
    memory::Retention,
    port::{
        Attached, Attachment, Change, Claim, Delivery, Entry, Joined, NewRoom, NodeLease, PortError, Ports, Post,
        RoomRules, Sink,
    },
};
use async_trait::async_trait;
use bytes::Bytes;
use protocol::{ClientId, MessageId, NodeId, RoomId, RoomName, Username};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;
use uuid::Uuid;

/// What a backend brings to its tests: a cluster, and a way to let time pass in it.
#[async_trait]
pub trait Backend: Send + Sync {
    /// One more node of the cluster, under a name that no other has. It has not registered yet.
    async fn node(&self) -> (NodeId, Ports);

    /// The same node once more, as after a restart of its process.
    async fn again(&self, node: &NodeId) -> Ports;

    /// The time that the suite counts in: longer than anything the backend does takes, and short enough to be waited
    /// for a few times a case. At least 10 ms.
    fn unit(&self) -> Duration;

    /// Lets time pass: moves a mock clock, or really waits.
    async fn pass(&self, time: Duration);

    /// What the cluster keeps. All times must be whole units, and `messages` at least 10.
    fn retention(&self) -> Retention;
}

/// Makes one test a case. `$make` is an expression whose value is a future of a [`Backend`]; it is evaluated anew for
/// each case.
#[macro_export]
macro_rules! conformance_tests {
    ($make:expr) => {
        $crate::conformance_tests! { @ $make;
            bus:
                every_node_hears_the_same_order_without_holes
                what_is_read_is_what_was_published
                a_trace_goes_with_what_is_published_and_not_into_the_log
                an_id_is_posted_once
                concurrent_retries_post_once
                an_id_of_another_client_or_room_is_another_message
                an_id_is_forgotten_after_its_time
                a_full_window_takes_no_message_but_knows_its_own
                a_window_counts_a_client_s_messages_on_every_node
                a_window_says_what_is_left
                spans
                a_position_gives_exactly_what_came_after_it
                a_full_log_loses_its_oldest
                an_old_log_is_empty_and_goes_on
                a_timeline_that_lost_positions_becomes_another
                each_room_has_a_timeline_of_its_own
                a_timeline_needs_a_room
                nothing_is_missed_after_subscribing
                only_subscribers_hear
                subscribing_twice_hears_once
                who_unsubscribes_hears_nothing_until_it_subscribes_again
                ephemerals_pass_through_and_are_not_kept
                orders_reach_one_node_or_all
                who_listens_hears_orders_without_being_a_node
                a_subscription_outlives_the_lease;
            amendments:
                what_is_amended_reads_otherwise_and_stays_as_posted
                an_amendment_replaces_the_one_before_it
                who_knows_an_older_state_amends_nothing
                of_amendments_that_race_one_wins
                a_retry_of_an_amendment_is_known
                what_is_gone_cannot_be_amended
                what_is_refused_counts_in_no_window
                replacements_go_with_what_the_log_loses
                another_life_of_a_room_has_none_of_it
                a_key_is_kept_with_what_was_posted;
            directory:
                ids_are_unique_under_concurrency
                a_guest_is_named_after_its_id
                an_identity_is_given_back
                a_wrong_key_gets_a_new_id
                a_forgotten_id_is_given_back_if_it_is_free
                a_name_is_taken_at_connecting_if_it_was_asked_for
                a_takeover_ends_the_former_connection
                nobody_attaches_without_a_lease
                creating_enters
                a_request_makes_one_room
                joining_tells_the_room_and_shows_it
                joining_twice_does_nothing
                leaving_tells_the_room
                leaving_needs_membership
                whoever_is_in_doubt_can_ask_where_it_is
                a_rename_is_told_to_every_room
                membership_is_told_in_the_order_it_took_effect
                one_room_moves_at_once
                a_failing_join_leaves_one_where_one_was
                several_rooms_up_to_the_limit
                a_full_room_takes_nobody
                only_so_many_enter_a_full_room_at_once
                the_first_members_are_listed
                a_detached_member_stays_for_its_grace
                who_comes_back_in_time_never_left
                a_late_detach_of_a_former_connection_does_nothing
                a_room_ends_with_its_last_member
                a_lone_member_s_grace_keeps_the_room
                ending_a_room_tells_its_members;
            lease:
                a_lease_is_kept_by_heartbeats
                a_dead_node_is_reaped_once
                a_node_that_was_reaped_cannot_act
                giving_the_lease_back_starts_the_grace
                a_restarted_node_fences_its_former_life
                a_name_that_another_lives_under_is_not_taken_back
                nodes_are_listed;
            members:
                members_are_listed_by_id
                members_are_listed_while_others_come_and_go
                only_a_room_has_members;
            presence:
                a_lost_connection_is_told_and_that_it_is_back
                nobody_is_told_of_a_move
                who_is_lost_for_good_leaves
                who_loses_its_node_is_not_told_of;
            room_list:
                the_room_list_is_complete_and_newest_first
                the_room_list_goes_on_while_rooms_come_and_go
                a_bad_cursor_is_refused;
            throttle:
                so_many_pass_and_then_none
                after_the_wait_it_passes
                a_window_slides
                keys_and_policies_are_apart
                nodes_count_together
                concurrent_takes_are_all_counted
                a_limit_expires;
            census:
                counts_and_lists_follow_who_is_there
                who_lost_its_node_is_not_listed
                paging_goes_on_while_others_come_and_go
                a_record_says_who_and_where
                a_record_is_of_the_newest_connection
                who_is_within_its_grace_is_found_and_not_listed
                who_is_expelled_is_nowhere
                a_grace_ends_with_expulsion
                nobody_is_expelled_twice
                participants_are_remembered_in_the_order_of_coming
                a_forgotten_participant_is_a_guest
                positions_are_those_of_the_timelines;
            records:
                a_document_is_read_until_it_is_removed
                ids_and_bodies_are_opaque
                a_list_is_in_the_order_of_ids
                a_list_goes_on_while_documents_come_and_go
                a_document_expires
                what_has_expired_shortens_no_page
                the_log_is_read_newest_first
                a_full_log_forgets_its_oldest_entries
                an_entry_settles_an_act
                entries_of_several_nodes_are_all_in_the_log
                a_bad_cursor_is_refused;
        }
    };
    (@ $make:expr; $($module:ident: $($case:ident)*;)*) => {
        $(mod $module {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let backend = $make.await;
                    $crate::conformance::$module::$case(&backend).await;
                }
            )*
        })*
        /// Every case of the suite.
        #[allow(dead_code)]
        const CASES: &[&str] = &[$($(concat!(stringify!($module), "::", stringify!($case)),)*)*];
    };
}

/// Longer than any case runs.
pub(crate) const LONG: Duration = Duration::from_secs(24 * 3600);
/// What a case waits for a delivery at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// The one-room policy.
pub(crate) const ONE: RoomRules = RoomRules { rooms_per_client: 1, members_per_room: 1000 };
/// As many rooms as one likes.
pub(crate) const MANY: RoomRules = RoomRules { rooms_per_client: 1000, members_per_room: 1000 };

/// Keeps what a node was handed.
#[derive(Default)]
pub(crate) struct Recorder {
    all: Mutex<Vec<Delivery>>,
    more: Notify,
}

impl Sink for Recorder {
    fn deliver(&self, delivery: Delivery) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(delivery);
        self.more.notify_waiters();
    }
}

impl Recorder {
    pub(crate) fn all(&self) -> Vec<Delivery> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until what was delivered satisfies `f`, and gives `f`'s answer.
    pub(crate) async fn wait<T>(&self, what: &str, mut f: impl FnMut(&[Delivery]) -> Option<T>) -> T {
        let found = async {
            loop {
                let more = self.more.notified();
                tokio::pin!(more);
                more.as_mut().enable();
                let found = f(&self.all());
                if let Some(found) = found {
                    return found;
                }
                more.await;
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(_) => panic!("{what} did not come; what did: {:#?}", self.all()),
        }
    }

    /// Waits until so many positions of a room have come, and gives all that have.
    pub(crate) async fn entries(&self, room: RoomId, count: usize) -> Vec<Entry> {
        let what = format!("entry {count} of room {room}");
        self.wait(&what, |all| Some(entries(all, room)).filter(|entries| entries.len() >= count)).await
    }

    /// Waits until so many membership changes of a room have come, and gives all that have.
    pub(crate) async fn changes(&self, room: RoomId, count: usize) -> Vec<(Change, u32)> {
        let what = format!("membership change {count} of room {room}");
        self.wait(&what, |all| Some(changes(all, room)).filter(|changes| changes.len() >= count)).await
    }
}

fn entries(all: &[Delivery], of: RoomId) -> Vec<Entry> {
    let entry = |d: &Delivery| match d {
        Delivery::Entry { room, entry, .. } if *room == of => Some(entry.clone()),
        _ => None,
    };
    all.iter().filter_map(entry).collect()
}

fn changes(all: &[Delivery], of: RoomId) -> Vec<(Change, u32)> {
    let change = |d: &Delivery| match d {
        Delivery::Membership { room, change, member_count } if *room == of => Some((change.clone(), *member_count)),
        _ => None,
    };
    all.iter().filter_map(change).collect()
}

/// A node that has registered and hears.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) ports: Ports,
    pub(crate) heard: Arc<Recorder>,
    pub(crate) lease: Arc<NodeLease>,
}

/// Numbers of connections; unique in the whole test process, which is more than is needed.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

impl Node {
    pub(crate) async fn new(backend: &impl Backend) -> Self {
        Self::with_lease(backend, LONG).await
    }

    pub(crate) async fn with_lease(backend: &impl Backend, lease: Duration) -> Self {
        let (id, ports) = backend.node().await;
        Self::start(id, ports, lease).await
    }

    pub(crate) async fn start(id: NodeId, ports: Ports, lease: Duration) -> Self {
        let heard = Arc::new(Recorder::default());
        ports.bus.attach(heard.clone());
        let lease = Arc::new(ports.directory.register(&id, lease).await.unwrap());
        assert_eq!(lease.node, id);
        Self { id, ports, heard, lease }
    }

    /// A new connection on this node.
    pub(crate) fn connection(&self) -> Attachment {
        Attachment { lease: self.lease.clone(), connection: CONNECTIONS.fetch_add(1, Ordering::Relaxed) }
    }

    /// A new client.
    pub(crate) async fn guest(&self) -> Person {
        self.attach(claim(None)).await.0
    }

    /// A client that was here before.
    pub(crate) async fn back(&self, person: &Person) -> (Person, Attached) {
        self.attach(claim(Some((person.id, person.key)))).await
    }

    pub(crate) async fn attach(&self, claim: Claim) -> (Person, Attached) {
        let attachment = self.connection();
        let attached = self.ports.directory.attach(&attachment, claim).await.unwrap();
        let person = Person {
            id: attached.client_id,
            key: attached.key,
            name: attached.username.clone(),
            attachment,
            ports: self.ports.clone(),
        };
        (person, attached)
    }

    pub(crate) async fn sweep(&self) -> crate::port::Swept {
        self.ports.directory.sweep().await.unwrap()
    }

    pub(crate) async fn subscribe(&self, room: RoomId) {
        self.ports.bus.subscribe(room).await.unwrap();
    }

    /// Who is in a room.
    pub(crate) async fn members(&self, room: RoomId) -> Vec<ClientId> {
        let (room, members) = self.ports.directory.room(room, 1000).await.unwrap();
        assert_eq!(room.member_count as usize, members.len());
        members.into_iter().map(|m| m.client_id).collect()
    }

    /// Orders itself to hear something: whatever was on its way to this node before has come when this returns.
    pub(crate) async fn settle(&self) {
        let order = Bytes::from(Uuid::new_v4().to_string());
        self.ports.bus.order(crate::port::Address::Node(self.id.clone()), order.clone()).await.unwrap();
        self.heard
            .wait("an order to oneself", |all| all.iter().any(|d| *d == Delivery::Order(order.clone())).then_some(()))
            .await;
    }
}

pub(crate) fn claim(identity: Option<(ClientId, Uuid)>) -> Claim {
    Claim { identity, fresh_key: Uuid::new_v4(), username: None, rename: false, address: None }
}

/// A client, by the connection that speaks for it.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: ClientId,
    pub(crate) key: Uuid,
    pub(crate) name: Username,
    pub(crate) attachment: Attachment,
    pub(crate) ports: Ports,
}

impl Person {
    pub(crate) async fn create(&self, rules: RoomRules) -> Result<Joined, PortError> {
        self.ports.directory.create_room(self.id, &self.attachment, new_room("room"), rules).await
    }

    /// Makes a room, and stays in all others.
    pub(crate) async fn room(&self) -> RoomId {
        self.create(MANY).await.unwrap().room.room_id
    }

    pub(crate) async fn join(&self, room: RoomId, rules: RoomRules) -> Result<Joined, PortError> {
        self.ports.directory.join(self.id, &self.attachment, room, rules).await
    }

    pub(crate) async fn leave(&self, room: RoomId) -> Result<(), PortError> {
        self.ports.directory.leave(self.id, &self.attachment, room).await
    }

    pub(crate) async fn rename(&self, name: &str) -> Result<(), PortError> {
        self.ports.directory.rename(self.id, &self.attachment, username(name)).await
    }

    pub(crate) async fn detach(&self, grace: Duration) {
        self.ports.directory.detach(self.id, &self.attachment, grace).await.unwrap();
    }

    /// Posts a message, and says where it stands.
    pub(crate) async fn say(&self, room: RoomId, text: &str) -> crate::port::Appended {
        self.ports.bus.append(post(room, self.id, message(), text)).await.unwrap()
    }
}

pub(crate) fn message() -> MessageId {
    MessageId::new(Uuid::new_v4())
}

pub(crate) fn post(room: RoomId, client: ClientId, id: MessageId, text: &str) -> Post {
    Post { room, client, id, payload: payload(text), window: None, key: None, amendment: None, trace: None }
}

pub(crate) fn new_room(name: &str) -> NewRoom {
    NewRoom { name: room_name(name), request: None }
}

pub(crate) fn payload(text: &str) -> Bytes {
    format!("{{\"text\":\"{text}\"}}").into()
}

pub(crate) fn username(name: &str) -> Username {
    Username::parse(&name.into(), 16).unwrap()
}

pub(crate) fn room_name(name: &str) -> RoomName {
    RoomName::parse(&name.into(), 16).unwrap()
}
