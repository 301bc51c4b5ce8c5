//! Whether what was said reached every member: not only in order, but at all, and in time. A message that is followed by
//! none proves its own absence to nobody; only the comparison with what others saw does.

use super::{
    stay::Stay,
    terms::{Calm, Terms},
    timeline::Timelines,
    violation::{Kind, Violation},
};

/// Judges it.
#[must_use]
pub fn judge(stays: &[Stay], timelines: &Timelines, calm: &Calm, terms: &Terms) -> Vec<Violation> {
    let mut violations = Vec::new();
    for stay in stays {
        let Some(life) = timelines.lives.get(&(stay.room, stay.epoch.clone())) else { continue };
        let until = stay.certain_until();
        for (seq, position) in life.positions.range(stay.after.next()..) {
            let known = position.at.max(stay.from);
            // Positions come about in their order; what is known much later than this stay's end is after it.
            if position.at > until + terms.heal {
                break;
            }
            let due = calm.after(known, terms.promptness, stay.connection);
            if due >= until || stay.told_gone(*seq) {
                continue;
            }
            let (kind, text) = match stay.seen.get(seq) {
                Some(seen) if *seen <= due => continue,
                Some(seen) => (Kind::Late, format!("came {:.1} s after", (*seen - known).as_secs_f64())),
                None => (Kind::Unseen, format!("never came in the {:.1} s after", (until - known).as_secs_f64())),
            };
            let text = format!("{seq} of room {} {text} actor {} knew of it", stay.room, position.actor);
            let mut violation =
                Violation::new(kind, known, text).room(stay.room).actor(stay.actor).actor(position.actor);
            violation.clients.extend(stay.client);
            violations.push(violation);
            // One is enough: what follows is most often the same fault.
            break;
        }
    }
    violations
}
