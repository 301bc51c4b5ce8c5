//! What was measured on the way. It says nothing about right or wrong.

use crate::{
    audit::Happened,
    journal::{How, Phase, Record, What},
};
use protocol::{ClientCommand, MessageId, ServerEvent};
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

/// A distribution, in milliseconds.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    /// How many there were.
    pub count: usize,
    /// Half were at most this.
    pub p50_ms: f64,
    /// All but one in a hundred.
    pub p99_ms: f64,
    /// The worst.
    pub max_ms: f64,
}

impl Spread {
    fn new(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        let ms = |at: usize| all.get(at).map_or(0.0, |d| (d.as_secs_f64() * 10_000.0).round() / 10.0);
        let last = all.len().saturating_sub(1);
        Self { count: all.len(), p50_ms: ms(last / 2), p99_ms: ms(last * 99 / 100), max_ms: ms(last) }
    }
}

/// What a fault did to those who were there.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Impact {
    /// Its place in the plan.
    pub number: usize,
    /// From its beginning to the first `ACK` of a message sent after it, by anybody.
    pub first_ack_ms: Option<f64>,
    /// Of the messages that were first sent until it was undone and five seconds more: the longest wait for an `ACK`.
    pub longest_wait_ms: Option<f64>,
    /// Those of them that nobody acknowledged: given up after all attempts, or forgotten with a lost identity or room.
    pub given_up: usize,
    /// Connections that ended, by no will of their own, until it was undone and five seconds more.
    pub connections_lost: usize,
    /// Commands that were answered with `unavailable` until then.
    pub unavailable: usize,
}

/// Everything that was measured.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// From the beginning to the end of what is judged.
    #[serde(serialize_with = "crate::report::seconds")]
    pub duration: Duration,
    /// Commands sent, by type; retries count.
    pub sent: BTreeMap<String, usize>,
    /// Events heard, by type.
    pub heard: BTreeMap<String, usize>,
    /// Refusals, by code.
    pub errors: BTreeMap<String, usize>,
    /// How connections ended.
    pub ends: BTreeMap<String, usize>,
    /// Connections attempted.
    pub attempts: usize,
    /// Messages, each counted once however often it was sent.
    pub messages: usize,
    /// Those that were acknowledged.
    pub acknowledged: usize,
    /// Acknowledgements of what had been acknowledged or posted before.
    pub duplicates: usize,
    /// Resumes that brought everything.
    pub recovered: usize,
    /// Gaps that were told.
    pub gaps: usize,
    /// From `SEND_MESSAGE` to its `ACK`, on one connection, sent once.
    pub ack: Spread,
    /// From `SEND_MESSAGE`, sent once, to each member's `NEW_MESSAGE`; not on connections that stopped reading on purpose.
    pub delivery: Spread,
    /// From a message's first attempt to its `ACK`, over retries and reconnects: what a person waits who does not go away.
    pub service: Spread,
    /// The longest of these for each client: its longest time without service.
    pub longest_without_service: Spread,
    /// From a connection's loss to the next `CONNECT` event, where the client wanted one at once.
    pub reconnect: Spread,
    /// What each fault did.
    pub impacts: Vec<Impact>,
}

struct Message {
    actor: u32,
    first: Duration,
    times: u32,
    acked: Option<Duration>,
    /// Its sender ended the connection of its own will before it was acknowledged.
    abandoned: bool,
}

impl Message {
    /// How long its sender waited for its `ACK`, if that was all that kept it waiting.
    fn wait(&self) -> Option<Duration> {
        self.acked.filter(|_| !self.abandoned).map(|acked| acked - self.first)
    }
}

impl Figures {
    /// Measures.
    #[must_use]
    pub fn new(records: &[Record], faults: &[Happened]) -> Self {
        let mut figures = Self::default();
        let mut messages: HashMap<MessageId, Message> = HashMap::new();
        let (mut ack, mut delivery, mut reconnect) = (Vec::new(), Vec::new(), Vec::new());
        let mut lost: HashMap<u32, Duration> = HashMap::new();
        let (mut losses, mut refusals) = (Vec::new(), Vec::new());
        // Of each actor: its end is a loss, that of one which was taken over is not.
        let mut newest: HashMap<u32, u32> = HashMap::new();
        let mut dozing: HashSet<u32> = HashSet::new();
        let mut open: HashMap<u32, Vec<MessageId>> = HashMap::new();
        for record in records {
            figures.duration = record.at;
            match &record.what {
                What::Phase(Phase::Over) => break,
                What::Opening(_) => {
                    figures.attempts += 1;
                    newest.insert(record.actor, record.connection);
                }
                What::Dozing => {
                    dozing.insert(record.connection);
                }
                What::Failed(_) => count(&mut figures.ends, "not accepted".to_owned()),
                What::Ended(how) => {
                    count(&mut figures.ends, ending(how));
                    let current = newest.get(&record.actor) == Some(&record.connection);
                    if current && matches!(how, How::Left | How::Dropped) {
                        let open = open.remove(&record.actor).unwrap_or_default();
                        open.iter().for_each(|id| abandon(messages.get_mut(id)));
                    } else if current && !matches!(how, How::Left | How::Dropped) {
                        losses.push(record.at);
                        lost.entry(record.actor).or_insert(record.at);
                    }
                }
                What::Sent(command) => {
                    count(&mut figures.sent, tag(command));
                    if let ClientCommand::SendMessage(message) = command {
                        let new =
                            Message { actor: record.actor, first: record.at, times: 0, acked: None, abandoned: false };
                        open.entry(record.actor).or_default().push(message.id);
                        messages.entry(message.id).or_insert(new).times += 1;
                    }
                }
                What::Heard(event) => {
                    count(&mut figures.heard, tag(event));
                    match event {
                        ServerEvent::Connected(_) => {
                            reconnect.extend(lost.remove(&record.actor).map(|since| record.at - since));
                        }
                        ServerEvent::NewMessage(message) => {
                            let reads = !dozing.contains(&record.connection);
                            let once = messages.get(&message.id).filter(|m| m.times == 1 && reads);
                            delivery.extend(once.map(|m| record.at - m.first));
                        }
                        ServerEvent::Ack(event) => {
                            figures.duplicates += usize::from(event.duplicate == Some(true));
                            let id = event.id.as_ref().and_then(|id| id.as_str().parse::<MessageId>().ok());
                            if let Some(message) = id.and_then(|id| messages.get_mut(&id))
                                && message.acked.is_none()
                            {
                                message.acked = Some(record.at);
                                if message.times == 1 {
                                    ack.push(record.at - message.first);
                                }
                            }
                        }
                        ServerEvent::RoomJoined(joined) => {
                            figures.gaps += usize::from(joined.gap.is_some());
                            let resumed = joined.id.as_ref().is_some_and(|id| id.as_str().starts_with("connect"));
                            figures.recovered += usize::from(resumed && joined.recovered);
                        }
                        ServerEvent::CommandError(error) => {
                            count(&mut figures.errors, word(&error.code));
                            if error.code == protocol::ErrorCode::Unavailable {
                                refusals.push(record.at);
                            }
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        figures.messages = messages.len();
        figures.acknowledged = messages.values().filter(|m| m.acked.is_some()).count();
        let waits = || messages.values().filter_map(|m| Some((m.actor, m.wait()?)));
        let mut longest: HashMap<u32, Duration> = HashMap::new();
        for (actor, wait) in waits() {
            let longest = longest.entry(actor).or_default();
            *longest = wait.max(*longest);
        }
        figures.service = Spread::new(waits().map(|(_, wait)| wait).collect());
        figures.longest_without_service = Spread::new(longest.into_values().collect());
        (figures.ack, figures.delivery, figures.reconnect) =
            (Spread::new(ack), Spread::new(delivery), Spread::new(reconnect));
        figures.impacts = faults.iter().map(|fault| impact(fault, &messages, &losses, &refusals)).collect();
        figures
    }
}

fn impact(
    fault: &Happened,
    messages: &HashMap<MessageId, Message>,
    losses: &[Duration],
    refusals: &[Duration],
) -> Impact {
    let until = fault.end + Duration::from_secs(5);
    let within = |all: &[Duration]| all.iter().filter(|at| (fault.begin..until).contains(*at)).count();
    let sent = || messages.values().filter(|m| (fault.begin..until).contains(&m.first));
    let ms = |wait: Option<Duration>| wait.map(|wait| (wait.as_secs_f64() * 1000.0).round());
    Impact {
        number: fault.number,
        first_ack_ms: ms(sent().filter_map(|m| m.acked).min().map(|acked| acked - fault.begin)),
        longest_wait_ms: ms(sent().filter_map(Message::wait).max()),
        given_up: sent().filter(|m| m.acked.is_none() && !m.abandoned).count(),
        connections_lost: within(losses),
        unavailable: within(refusals),
    }
}

fn abandon(message: Option<&mut Message>) {
    if let Some(message) = message.filter(|message| message.acked.is_none()) {
        message.abandoned = true;
    }
}

fn count(counts: &mut BTreeMap<String, usize>, what: String) {
    *counts.entry(what).or_default() += 1;
}

fn tag(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value["type"].as_str().unwrap_or_default().to_owned()
}

fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn ending(how: &How) -> String {
    match how {
        How::Closed(code, _) => format!("closed by the server with {code}"),
        How::Lost(_) => "lost".to_owned(),
        How::Left => "closed by the client".to_owned(),
        How::Dropped => "dropped by the client".to_owned(),
        How::Silent => "given up: silent".to_owned(),
    }
}
