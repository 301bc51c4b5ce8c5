//! The protocol with one listener: a token first, then figures until either end has enough.

use super::{Carrier, Gone, Outgoing};
use crate::{
    State,
    auth::{PATIENCE, Token},
};
use actix_http::ws::{Frame, ProtocolError};
use bytes::Bytes;
use protocol::{CloseCode, admin::LiveToken};
use std::time::Duration;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

/// How long a listener may take to show its token.
const TOKEN_WITHIN: Duration = Duration::from_secs(5);
/// How often the token is looked at again.
const CHECK_EACH: Duration = Duration::from_secs(2);
/// Who says nothing for this long is gone. Whoever is there answers pings.
const SILENCE: Duration = Duration::from_secs(60);
/// How long one frame may wait for the socket to take it.
const SEND_WITHIN: Duration = Duration::from_secs(60);

/// Why it ends.
enum End {
    /// We close it.
    Close(CloseCode),
    /// There is nobody to close it to.
    Gone,
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// Serves one listener to the end.
pub(crate) async fn run(state: &State, carrier: &mut impl Carrier) {
    let end = feed(state, carrier).await;
    if let End::Close(code) = end {
        let _ = timeout(TOKEN_WITHIN, carrier.send(Outgoing::Close(code))).await;
    }
}

async fn feed(state: &State, carrier: &mut impl Carrier) -> End {
    let ending = state.live.ending.clone();
    let serving = async {
        let full = |_| End::Close(CloseCode::TryAgainLater);
        // Strangers have places of their own: they must not keep admins out who are in.
        let arriving = state.live.arriving.try_acquire().map_err(full)?;
        let token = match timeout(TOKEN_WITHIN, first(state, carrier)).await {
            Ok(token) => token?,
            Err(_) => return Err(End::Close(CloseCode::Policy)),
        };
        let _place = state.live.places.try_acquire().map_err(full)?;
        drop(arriving);
        figures(state, carrier, &token).await
    };
    match ending.run_until_cancelled(serving).await {
        Some(Ok(never)) => match never {},
        Some(Err(end)) => end,
        None => End::Close(CloseCode::Restart),
    }
}

/// The token, which must come before anything else.
async fn first(state: &State, carrier: &mut impl Carrier) -> Result<Token, End> {
    loop {
        if let Some(text) = heard(carrier.next().await, carrier).await? {
            let Ok(LiveToken { token }) = serde_json::from_slice(&text) else {
                return Err(End::Close(CloseCode::Policy));
            };
            return state.verified(&token).await.map_err(|problem| refused(problem.status().as_u16()));
        }
    }
}

/// Figures, each second.
async fn figures(state: &State, carrier: &mut impl Carrier, token: &Token) -> Result<std::convert::Infallible, End> {
    let mut figures = state.live.listen();
    let mut checks = interval_at(Instant::now() + CHECK_EACH, CHECK_EACH);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard_at = Instant::now();
    // The next figures wait until the ping behind the last ones was answered: then these were taken from the socket,
    // and nothing stands in a queue. Whoever is slow sees fewer of them.
    let mut answered = true;
    loop {
        tokio::select! {
            frame = carrier.next() => {
                answered |= matches!(frame, Some(Ok(Frame::Pong(_))));
                heard_at = Instant::now();
                if heard(frame, carrier).await?.is_some() {
                    // There is nothing more to say.
                    return Err(End::Close(CloseCode::Policy));
                }
            }
            newest = changed(&mut figures), if answered => {
                answered = false;
                send(carrier, Outgoing::Figures(newest)).await?;
                send(carrier, Outgoing::Ping).await?;
            }
            _ = checks.tick() => {
                if heard_at.elapsed() >= SILENCE {
                    return Err(End::Gone);
                }
                check(state, token).await?;
                // Without figures there would be nothing to answer to.
                send(carrier, Outgoing::Ping).await?;
            }
        }
    }
}

async fn changed(figures: &mut watch::Receiver<Bytes>) -> Bytes {
    if figures.changed().await.is_err() {
        // The poller lives as long as the service.
        std::future::pending::<()>().await;
    }
    figures.borrow_and_update().clone()
}

/// Whether the token still counts. While the backend does not say, there are no figures either.
async fn check(state: &State, token: &Token) -> Result<(), End> {
    let checked = timeout(PATIENCE, state.still_good(token)).await;
    let expired = token.expired(state.clock.now());
    match checked {
        Ok(Err(problem)) if problem.status() == 401 => Err(End::Close(CloseCode::Policy)),
        _ if expired => Err(End::Close(CloseCode::Policy)),
        Ok(Ok(()) | Err(_)) | Err(_) => Ok(()),
    }
}

/// The text that a frame brought, if it brought one. What belongs to the WebSocket itself is answered here.
async fn heard(frame: Option<Result<Frame, ProtocolError>>, carrier: &mut impl Carrier) -> Result<Option<Bytes>, End> {
    match frame {
        None | Some(Err(ProtocolError::Io(_))) => Err(End::Gone),
        Some(Err(ProtocolError::Overflow)) => Err(End::Close(CloseCode::TooBig)),
        Some(Err(_)) => Err(End::Close(CloseCode::ProtocolError)),
        Some(Ok(Frame::Text(text))) => Ok(Some(text)),
        Some(Ok(Frame::Ping(bytes))) => {
            send(carrier, Outgoing::Pong(bytes)).await?;
            Ok(None)
        }
        Some(Ok(Frame::Pong(_))) => Ok(None),
        Some(Ok(Frame::Close(_))) => Err(End::Close(CloseCode::Normal)),
        // A token is one short text.
        Some(Ok(Frame::Binary(_) | Frame::Continuation(_))) => Err(End::Close(CloseCode::Policy)),
    }
}

fn refused(status: u16) -> End {
    End::Close(if status == 401 { CloseCode::Policy } else { CloseCode::TryAgainLater })
}

async fn send(carrier: &mut impl Carrier, outgoing: Outgoing) -> Result<(), Gone> {
    timeout(SEND_WITHIN, carrier.send(outgoing)).await.unwrap_or(Err(Gone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AdminApi, Config, HashCost};
    use engine::{
        MemoryCluster, Retention,
        clock::{MockClock, SeededEntropy},
    };
    use runtime::{
        env::{MapEnv, Reader},
        lifecycle::Lifecycle,
    };
    use std::sync::Arc;
    use tokio::sync::mpsc;
    use uuid::Uuid;

    /// A socket that is two channels.
    struct Fake(mpsc::UnboundedReceiver<Frame>, mpsc::UnboundedSender<Outgoing>);

    impl Carrier for Fake {
        async fn next(&mut self) -> Option<Result<Frame, ProtocolError>> {
            self.0.recv().await.map(Ok)
        }
        async fn send(&mut self, outgoing: Outgoing) -> Result<(), Gone> {
            self.1.send(outgoing).map_err(|_| Gone)
        }
    }

    async fn api() -> Arc<AdminApi> {
        let env = MapEnv::from_iter([("JWT_SECRET", "s".repeat(32).as_str()), ("ADMIN_PASS", "x")]);
        let config = Config::read(&mut Reader::new(&env)).get().unwrap();
        let config = Config { hash_cost: HashCost { memory: 8, passes: 1, lanes: 1 }, ..config };
        let (clock, entropy) = (Arc::new(MockClock::new()), Arc::new(SeededEntropy::new(1)));
        let cluster = MemoryCluster::new(clock.clone(), entropy.clone(), Retention::default());
        let node: protocol::NodeId = "admin".parse().unwrap();
        let ports = cluster.node(node.clone());
        Arc::new(AdminApi::new(config, node, ports, clock, entropy).await.unwrap())
    }

    /// What a listener with a good token gets, and where it answers.
    async fn listener(api: &Arc<AdminApi>) -> (mpsc::UnboundedSender<Frame>, mpsc::UnboundedReceiver<Outgoing>) {
        let (said, to_hear) = mpsc::unbounded_channel();
        let (shown, seen) = mpsc::unbounded_channel();
        let state = api.state.clone();
        let credential = state.credentials.effective().await.unwrap();
        let (token, _) = state.tokens.issue(Uuid::nil(), &credential.fingerprint, state.clock.now());
        said.send(Frame::Text(format!("{{\"token\":\"{token}\"}}").into())).unwrap();
        tokio::spawn(async move { run(&state, &mut Fake(to_hear, shown)).await });
        let (background, lifecycle) = (api.clone(), Lifecycle::new());
        tokio::spawn(async move { background.run(&lifecycle).await });
        (said, seen)
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_slow_gets_only_the_newest_and_who_is_silent_is_dropped() {
        let api = api().await;
        let (said, mut seen) = listener(&api).await;
        let started = Instant::now();
        assert!(matches!(seen.recv().await, Some(Outgoing::Figures(_))));
        assert_eq!(seen.recv().await, Some(Outgoing::Ping));
        let mut pings = 0;
        while started.elapsed() < Duration::from_secs(30) {
            // It has not answered: there are no more figures for it.
            assert_eq!(seen.recv().await, Some(Outgoing::Ping));
            pings += 1;
        }
        assert!(pings > 10, "{pings}");
        said.send(Frame::Pong(Bytes::new())).unwrap();
        let answered = Instant::now();
        while !matches!(seen.recv().await, Some(Outgoing::Figures(_))) {}
        assert!(answered.elapsed() <= Duration::from_secs(1));
        while let Some(outgoing) = seen.recv().await {
            assert_eq!(outgoing, Outgoing::Ping);
        }
        let silent = answered.elapsed();
        assert!((SILENCE..SILENCE + 2 * CHECK_EACH).contains(&silent), "{silent:?}");
    }
}
