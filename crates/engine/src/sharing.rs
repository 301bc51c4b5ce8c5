//! One answer for all who ask the same at the same time. When a room's members come back together, each is to be shown
//! the same list of them, and making that list is most of what showing a room costs the backend.

use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Questions under way, by what they ask.
pub(crate) struct Sharing<K, T> {
    questions: Mutex<HashMap<K, Arc<Question<T>>>>,
}

struct Question<T> {
    /// How many have asked.
    asked: Mutex<u64>,
    /// Held while the backend is asked: the newest answer, and how many had asked before its question was.
    answer: tokio::sync::Mutex<Option<(u64, T)>>,
}

impl<T> Default for Question<T> {
    fn default() -> Self {
        Self { asked: Mutex::new(0), answer: tokio::sync::Mutex::new(None) }
    }
}

impl<K, T> Default for Sharing<K, T> {
    fn default() -> Self {
        Self { questions: Mutex::new(HashMap::new()) }
    }
}

impl<K: Hash + Eq + Clone, T: Clone> Sharing<K, T> {
    /// The answer to a question that was put after this was called: by the caller itself, or by somebody else who waits for
    /// the same. An answer that was already on its way is nobody's but theirs who waited for it, for it may lack what the
    /// caller has just done.
    ///
    /// # Errors
    /// Those of the caller's own question; somebody else's failure is not shared.
    pub(crate) async fn ask<E>(&self, key: K, question: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let shared = Shared { sharing: self, question: self.questions().entry(key.clone()).or_default().clone(), key };
        let number = {
            let mut asked = lock(&shared.question.asked);
            *asked += 1;
            *asked
        };
        let mut answer = shared.question.answer.lock().await;
        if let Some((_, answer)) = answer.as_ref().filter(|(asked, _)| *asked >= number) {
            return Ok(answer.clone());
        }
        let asked = *lock(&shared.question.asked);
        let fresh = question.await?;
        *answer = Some((asked, fresh.clone()));
        Ok(fresh)
    }

    fn questions(&self) -> MutexGuard<'_, HashMap<K, Arc<Question<T>>>> {
        lock(&self.questions)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody who waits for an answer; the last of them forgets the question.
struct Shared<'a, K: Hash + Eq, T> {
    sharing: &'a Sharing<K, T>,
    question: Arc<Question<T>>,
    key: K,
}

impl<K: Hash + Eq, T> Drop for Shared<'_, K, T> {
    fn drop(&mut self) {
        let mut questions = lock(&self.sharing.questions);
        // The map's and ours.
        if Arc::strong_count(&self.question) == 2 {
            questions.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, future::BoxFuture};
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::sync::Semaphore;

    /// A backend that counts its answers, and gives each when it is let.
    struct Slow {
        sharing: Sharing<u8, u32>,
        answers: AtomicU32,
        let_through: Semaphore,
    }

    impl Slow {
        fn new() -> Arc<Self> {
            let (sharing, answers, let_through) = (Sharing::default(), AtomicU32::new(0), Semaphore::new(0));
            Arc::new(Self { sharing, answers, let_through })
        }

        fn ask(self: &Arc<Self>) -> BoxFuture<'static, Result<u32, ()>> {
            let this = self.clone();
            let mut asks = async move {
                let backend = async {
                    let answer = this.answers.fetch_add(1, Ordering::Relaxed) + 1;
                    this.let_through.acquire().await.unwrap().forget();
                    Ok(answer)
                };
                this.sharing.ask(7, backend).await
            }
            .boxed();
            assert_eq!((&mut asks).now_or_never(), None);
            asks
        }

        fn answer(&self) {
            self.let_through.add_permits(1);
        }
    }

    #[tokio::test]
    async fn those_who_wait_share_the_next_answer() {
        let backend = Slow::new();
        let (one, two, three) = (backend.ask(), backend.ask(), backend.ask());
        backend.answer();
        assert_eq!(one.await, Ok(1));
        backend.answer();
        // Not the one that was on its way when they asked.
        assert_eq!((two.await, three.await), (Ok(2), Ok(2)));
        assert!(backend.sharing.questions().is_empty(), "nothing is kept");
        backend.answer();
        let again = backend.sharing.ask(7, async { Ok::<_, ()>(9) });
        assert_eq!(again.await, Ok(9));
    }

    #[tokio::test]
    async fn who_gives_up_keeps_nobody_waiting() {
        let backend = Slow::new();
        let (one, two, three) = (backend.ask(), backend.ask(), backend.ask());
        drop(one);
        drop(two);
        backend.answer();
        assert_eq!(three.await, Ok(2));
        assert!(backend.sharing.questions().is_empty());
    }

    #[tokio::test]
    async fn a_failure_is_not_shared() {
        let sharing = Sharing::<u8, u32>::default();
        let (bad, good) = tokio::join!(sharing.ask(1, async { Err("no") }), sharing.ask(1, async { Ok::<_, &str>(2) }));
        assert_eq!((bad, good), (Err("no"), Ok(2)));
        assert!(sharing.questions().is_empty());
    }
}
