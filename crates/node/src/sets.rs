//! Sets of signed members: taking them from others and from ourselves, and believing those that
//! others tell of. Where they are held is the [shelf](crate::shelf)'s.

use alloc::vec::Vec;

use wire::{Cursor, Endpoint, Member, MemberRef, NodeId, Reply, Target, UnverifiedMember};

use crate::operation::Answer;
use crate::outbox::Outbox;
use crate::serve::{Asked, BAD_TOKEN};
use crate::shelf::{Admission, Refused, Source, Taken, Way, persisted_member};
use crate::state::Node;
use crate::time::Now;

impl<A: Admission> Node<A> {
    /// Takes a stranger's member: a token first, since that costs least to check, then what it is.
    pub(crate) fn serve_add(
        &mut self,
        asked: &Asked<'_>,
        member: UnverifiedMember<'_>,
        token: &[u8],
        target: &Target,
        outbox: &mut Outbox,
    ) {
        let added = self.take_member(asked.now, &asked.from, member, token, target);
        self.acknowledge(asked, added, outbox);
    }

    fn take_member(
        &mut self,
        now: Now,
        from: &Endpoint,
        member: UnverifiedMember<'_>,
        token: &[u8],
        target: &Target,
    ) -> Result<Taken, Refused> {
        let accepts = |place| self.tokens.accepts(token, from, &place, now.monotonic);
        let way = if accepts(target.point()) {
            Way::Put
        } else if accepts(self.id().point()) {
            // Whoever hands off much at once need not ask about each set.
            Way::HandOff
        } else {
            return Err(BAD_TOKEN);
        };
        self.budget.prove(from, now.monotonic);
        let member = member.verify(target, &mut self.known_keys)?;
        let source = self.members.source(from, way);
        self.hold_member(member, source, now)
    }

    /// Puts a member onto our shelf, a stranger's and our own by the same rules. It is told at once,
    /// and acknowledged when it is durable: a set promises to lose none, not to tell none too early.
    pub(crate) fn hold_member(
        &mut self,
        member: MemberRef<'_>,
        source: Source,
        now: Now,
    ) -> Result<Taken, Refused> {
        self.may_wait()?;
        let wall = self.lease_wall(now);
        let (durable, changes) = (self.config.durable, &mut self.changes);
        let until = self.members.add(member, source, wall, |target, cursor| {
            if durable {
                persisted_member::remove(target, cursor, changes);
            }
        })?;
        if !self.config.durable {
            return Ok(Taken::Held);
        }
        persisted_member::write(&member, until, &mut self.changes);
        Ok(Taken::Staged(self.changes.batch()))
    }

    /// Members that we hold ourselves, at most `most`, whether there are more, and how many there
    /// are in all.
    pub fn members_held(
        &mut self,
        target: &Target,
        after: Option<Cursor>,
        most: usize,
        now: Now,
    ) -> (Vec<Member>, bool, usize) {
        let wall = self.lease_wall(now);
        let page = self.members.page(target, after, wall);
        let mut members = page.members();
        let told = members.by_ref().take(most).map(|member| member.to_member()).collect();
        (told, members.next().is_some(), page.num)
    }

    /// Sets that we hold members of, and members.
    pub fn held_members(&self) -> (usize, usize) {
        (self.members.sets(), self.members.len())
    }

    /// What a node tells of a set, verified. One member that does not verify makes all of it
    /// worthless.
    pub(crate) fn members_told(
        &mut self,
        id: NodeId,
        target: &Target,
        reply: &Reply<'_>,
    ) -> Answer {
        let Reply::Members { members, more, num, .. } = reply else { return Answer::Silent };
        let Some(list) = members else {
            return Answer::Members { id, members: None, more: false, num: 0 };
        };
        let keys = &mut self.known_keys;
        let verified: Result<Vec<Member>, _> = list
            .iter()
            .map(|member| member.verify(target, keys).map(|member| member.to_member()))
            .collect();
        let Ok(members) = verified else { return Answer::Silent };
        let num = u64::try_from(*num).unwrap_or(0);
        Answer::Members { id, members: Some(members), more: *more, num }
    }
}
