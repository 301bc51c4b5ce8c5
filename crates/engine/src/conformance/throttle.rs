//! What [`Throttle`](crate::port::Throttle) promises.

use super::{Backend, Node};
use protocol::policy::{Policy, Window};
use std::time::Duration;
use uuid::Uuid;

const COUNT: u32 = 5;

fn window(backend: &impl Backend) -> Window {
    Window { count: COUNT, window: backend.unit() * 4 }
}

/// Somebody whom nobody has counted yet.
fn somebody() -> String {
    format!("c:{}", Uuid::new_v4())
}

async fn take(node: &Node, policy: Policy, who: &str, window: Window) -> Option<Duration> {
    node.ports.throttle.take(policy, who, window).await.unwrap()
}

/// Takes until refused: how many passed, and what the refusal said.
async fn exhaust(node: &Node, policy: Policy, who: &str, window: Window) -> (u32, Duration) {
    for passed in 0..=2 * window.count {
        if let Some(wait) = take(node, policy, who, window).await {
            return (passed, wait);
        }
    }
    panic!("more than twice the limit passed");
}

/// The whole count passes at once, then nothing does; and a refusal itself counts nothing.
pub async fn so_many_pass_and_then_none(backend: &impl Backend) {
    let (node, who) = (Node::new(backend).await, somebody());
    let window = Window { count: COUNT, window: Duration::from_secs(3600) };
    for n in 1..=COUNT {
        assert_eq!(take(&node, Policy::Message, &who, window).await, None, "{n} of {COUNT}");
    }
    for _ in 0..3 {
        let wait = take(&node, Policy::Message, &who, window).await.expect("one too many");
        assert!(wait > Duration::ZERO && wait <= 2 * window.window, "{wait:?}");
    }
}

/// Whoever waits as long as told gets through.
pub async fn after_the_wait_it_passes(backend: &impl Backend) {
    let (node, who, window) = (Node::new(backend).await, somebody(), window(backend));
    for _ in 0..3 {
        let (_, wait) = exhaust(&node, Policy::Message, &who, window).await;
        assert!(wait <= 2 * window.window, "{wait:?}");
        backend.pass(wait).await;
        assert_eq!(take(&node, Policy::Message, &who, window).await, None, "after {wait:?}");
    }
}

/// However the calls are spread, no more pass over several windows than the windows allow: waiting for the edge of a
/// window buys nothing.
pub async fn a_window_slides(backend: &impl Backend) {
    let (node, who, window) = (Node::new(backend).await, somebody(), window(backend));
    let (windows, steps) = (4, 4);
    let mut passed = 0;
    for _ in 0..windows * steps {
        for _ in 0..COUNT {
            passed += u32::from(take(&node, Policy::Message, &who, window).await.is_none());
        }
        backend.pass(window.window / steps).await;
    }
    assert!(passed >= COUNT * (windows - 1), "{passed}");
    // One window's worth more for the first moment, and one for the approximation.
    assert!(passed <= COUNT * (windows + 2), "{passed}");
}

/// One who is refused does not stop another, nor itself under another policy.
pub async fn keys_and_policies_are_apart(backend: &impl Backend) {
    let (node, who, other) = (Node::new(backend).await, somebody(), somebody());
    let window = Window { count: 1, window: Duration::from_secs(3600) };
    assert_eq!(take(&node, Policy::Message, &who, window).await, None);
    assert!(take(&node, Policy::Message, &who, window).await.is_some());
    assert_eq!(take(&node, Policy::RoomCreate, &who, window).await, None);
    assert_eq!(take(&node, Policy::Message, &other, window).await, None);
}

/// What passed on one node counts on all.
pub async fn nodes_count_together(backend: &impl Backend) {
    let (one, two, who) = (Node::new(backend).await, Node::new(backend).await, somebody());
    let window = Window { count: COUNT, window: Duration::from_secs(3600) };
    for n in 0..COUNT {
        let node = if n % 2 == 0 { &one } else { &two };
        assert_eq!(take(node, Policy::Http, &who, window).await, None);
    }
    assert!(take(&one, Policy::Http, &who, window).await.is_some());
    assert!(take(&two, Policy::Http, &who, window).await.is_some());
}

/// Calls at the same moment do not slip past one another.
pub async fn concurrent_takes_are_all_counted(backend: &impl Backend) {
    let (one, two, who) = (Node::new(backend).await, Node::new(backend).await, somebody());
    let window = Window { count: COUNT, window: Duration::from_secs(3600) };
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..40 {
        let throttle = if n % 2 == 0 { &one } else { &two }.ports.throttle.clone();
        let who = who.clone();
        calls.spawn(async move { throttle.take(Policy::Http, &who, window).await.unwrap().is_none() });
    }
    assert_eq!(calls.join_all().await.into_iter().filter(|passed| *passed).count(), COUNT as usize);
}

/// Two windows later nothing of it is left.
pub async fn a_limit_expires(backend: &impl Backend) {
    let (node, who, window) = (Node::new(backend).await, somebody(), window(backend));
    exhaust(&node, Policy::Message, &who, window).await;
    backend.pass(window.window * 2).await;
    let (passed, _) = exhaust(&node, Policy::Message, &who, window).await;
    assert!(passed >= COUNT, "{passed}");
}
