//! Planted bugs: mistakes that people make in code like this, to see whether the checks of a simulated
//! world find them.
//!
//! Each is a switch of one word where it would be made. The cargo feature `planted` compiles them in,
//! `plant` chooses one at run time, so that one build can hunt all. Without the feature [`is`] is
//! constantly false, and nothing of them is in the program.

#[cfg(feature = "planted")]
use core::sync::atomic::{AtomicU8, Ordering};

macro_rules! bugs {
    ($($bug:ident $name:literal $what:literal)*) => {
        /// A mistake that can be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Bug {
            $(#[doc = $what] $bug,)*
        }

        #[cfg(feature = "planted")]
        impl Bug {
            /// All of them.
            pub const ALL: &[Bug] = &[$(Bug::$bug),*];

            /// Its name, as it is typed.
            pub const fn name(self) -> &'static str {
                match self { $(Bug::$bug => $name,)* }
            }

            /// What it does, in one line.
            pub const fn what(self) -> &'static str {
                match self { $(Bug::$bug => $what,)* }
            }
        }
    };
}

bugs! {
    // Words of the network.
    ItemUnsigned "item-unsigned" "the signature of an item is not checked"
    ItemOfAnotherTarget "item-of-another-target" "an item is taken for the answer though it has another target"
    MemberUnsigned "member-unsigned" "the signature of a set's member is not checked"

    // Write tokens.
    TokenUnchecked "token-unchecked" "any token is good"
    TokenForAnyAddress "token-for-any-address" "a token is not bound to the address that it was given to"
    TokenForAnyTarget "token-for-any-target" "a token is not bound to the target that it was given for"
    TokenForEver "token-for-ever" "tokens never rotate out"
    TokenAfterItsTime "token-after-its-time" "a token is good for an hour"
    TokenForgottenAtTurn "token-forgotten-at-turn" "the tokens of the epoch before are not accepted"

    // Queries on their way.
    TransactionReused "transaction-reused" "a transaction id is drawn from a few, though another query waits under it"
    ReplyFromAnyAddress "reply-from-any-address" "a reply is matched by its transaction id alone"
    ReplyCountsTwice "reply-counts-twice" "a query that was answered is not forgotten"
    DeadlineForgetsPending "deadline-forgets-pending" "the timer does not run out for queries that are slow or given up"
    DeadlineForgetsWaits "deadline-forgets-waits" "the timer does not run out for answers that wait"

    // The closest contacts.
    ClosestOffByOne "closest-off-by-one" "the closest contact is left out of the closest"
    ClosestToOurselves "closest-to-ourselves" "the closest are sorted by their distance to us"
    ClosestNamesFailing "closest-names-failing" "contacts that do not answer are among the closest"
    OwnBucketLeftOut "own-bucket-left-out" "the target's own bucket is left out of the closest"

    // The routing table.
    StrangerEnters "stranger-enters" "whoever asks us something enters the table"
    HearsayEnters "hearsay-enters" "whoever we hear of enters the table"
    LiveDisplaced "live-displaced" "a newcomer takes the place of a living contact in a full bucket"
    DeadStay "dead-stay" "contacts that do not answer stay in the table and are named to others"
    BucketUncapped "bucket-uncapped" "a bucket takes any number of contacts"
    AddressTakenOver "address-taken-over" "a living contact's address is replaced by that of whoever answers under its id"
    GoodbyeBelieved "goodbye-believed" "a goodbye is believed without asking whom it speaks of"
    QuietNeverAsked "quiet-never-asked" "contacts that are quiet for long are not asked for a sign of life"
    NewcomerUnnoticed "newcomer-unnoticed" "no round of upkeep follows when a contact comes"
    LossUnnoticed "loss-unnoticed" "no round of upkeep follows when a contact goes"

    // Lookups.
    LookupEndsEarly "lookup-ends-early" "a lookup ends when as many as it looks for have answered, near or far"
    SlowAskedAgain "slow-asked-again" "a lookup asks whoever is slow again and again"
    SilentNeverGivenUp "silent-never-given-up" "a lookup waits for the silent to the end of its time"
    SilentCountsAsAnswered "silent-counts-as-answered" "whoever is silent counts as having answered a lookup"
    LookupUnbounded "lookup-unbounded" "a lookup remembers any number of candidates"

    // Writes.
    WritesToFirst "writes-to-first" "what is written goes to the first that answered, not to the closest"
    RefusedCountsAsStored "refused-counts-as-stored" "a refusal counts as stored"
    WriteNeverGivenUp "write-never-given-up" "a write waits for the silent for ever"
    OwnCopyBeforeDurable "own-copy-before-durable" "our own copy counts as stored before it is on the disk"
    AckBeforeDurable "ack-before-durable" "a put is acknowledged before it is on the disk"
    FailedBatchAcknowledged "failed-batch-acknowledged" "puts are acknowledged that could not be written to the disk"

    // The shelf.
    LowerVersionTaken "lower-version-taken" "a lower version replaces a higher one"
    EqualVersionTaken "equal-version-taken" "another value under the same version replaces what is held"
    ExpiredServed "expired-served" "what has ended is served until it is swept away"
    ClockJumpBelieved "clock-jump-believed" "a jump of the clock is believed at once"
    CasIgnored "cas-ignored" "compare-and-swap does not compare"
    CasSeesDurableOnly "cas-sees-durable-only" "what is on its way to the disk is not compared with"
    MarkerForgotten "marker-forgotten" "the version of what has ended is forgotten with it"
    RestoredNotKept "restored-not-kept" "what comes back from the disk is not looked after any more"
    MemberLowerVersionTaken "member-lower-version-taken" "a lower version of a set's member replaces a higher one"

    // Budgets.
    UnprovenUnlimited "unproven-unlimited" "any number of bytes goes to an address that nobody proved"
    PrefixUnlimited "prefix-unlimited" "any number of bytes goes to the unproven addresses of one network"
    PaceIgnored "pace-ignored" "queries to strangers keep no pace"

    // Membership and identity.
    LostNeverAsked "lost-never-asked" "contacts that were lost are never asked again"
    NoSecondLook "no-second-look" "a node looks for its neighbours only once"
    JoinNeverRetried "join-never-retried" "a node that could not join does not try again"
    ForeignTagBelieved "foreign-tag-believed" "nodes of other networks are taken for ours"
    OneVoiceMovesUs "one-voice-moves-us" "one node's word on our address is enough"
    ReplayHeard "replay-heard" "a sealed datagram is heard as often as it comes"

    // Upkeep.
    HandOffToFirstOnly "hand-off-to-first-only" "an item is handed off to the closest holder only"
    ReleasedUnheld "released-unheld" "an item is let go as soon as one of those who should hold it does"
    LeaveHandsOverNothing "leave-hands-over-nothing" "a node that leaves hands over nothing and says all is well"
    SettledForEver "settled-for-ever" "what was looked after once is not looked after again for a day"

    // Puts and gets.
    GetCountsSilent "get-counts-silent" "silent replicas count towards the quorum of a get"
    PutCountsSilent "put-counts-silent" "silent replicas count towards the quorum of a put"
    MajorityOfHalf "majority-of-half" "half of the replicas are a majority"
    FirstNotNewest "first-not-newest" "a get gives the value found first, not the newest"
    RepairSkipped "repair-skipped" "replicas that lack the newest version are not repaired"
    ExpiredReturned "expired-returned" "a get gives values that have expired"
    PutByOwnClock "put-by-own-clock" "the version of a put does not go above the one seen"
    TombstoneShort "tombstone-short" "a tombstone lives a minute, whatever it replaced"
    SilentArbiterAgrees "silent-arbiter-agrees" "a silent arbiter counts as one that agreed to a swap"
    DoneTwice "done-twice" "a swap that has to look again is told as lost first"
    CancelledDropped "cancelled-dropped" "a request whose lookup is cut short never ends"

    // Watches, batches, chunks, sets.
    WatchMissesLast "watch-misses-last" "a version that comes while a watch looks for its holders is not told"
    BatchNeverRefills "batch-never-refills" "a batched request that met silence never gives its room back"
    ChunkSilenceEnds "chunk-silence-ends" "a chunk is given up at the first silence"
    RemovedComesBack "removed-comes-back" "a removed member is listed if any replica still has it"
}

/// The bug that is planted, counted from 1; 0: none. The one static below the floor of sockets: which
/// bug is planted is no part of a node's life, and every call site would have to pass it on.
#[cfg(feature = "planted")]
static PLANTED: AtomicU8 = AtomicU8::new(0);

/// Plants a bug into all nodes of this process, or takes the last one out again.
#[cfg(feature = "planted")]
pub fn plant(bug: Option<Bug>) {
    PLANTED.store(bug.map_or(0, |bug| bug as u8 + 1), Ordering::Relaxed);
}

/// Whether this bug is planted.
#[cfg(feature = "planted")]
#[inline]
pub fn is(bug: Bug) -> bool {
    PLANTED.load(Ordering::Relaxed) == bug as u8 + 1
}

/// Whether this bug is planted: none ever is without the feature.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub const fn is(_: Bug) -> bool {
    false
}

#[cfg(not(feature = "planted"))]
const _: () = assert!(!is(Bug::ItemUnsigned));
