//! Telling of commits: the news to sessions, the notices to people, the answers to whoever asked.
//!
//! The threads that write do not do it themselves: each answer would wake a task on another thread, which takes the processor from the writer
//! at once, sixty-four times in a commit of sixty-four. They hand over one [`Word`] for each commit, and a task of the runtime tells it, in the
//! order of the commits.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use maillon_protocol::{replica::Notice, sync::News};
use tokio::{
    runtime::Handle,
    sync::{broadcast, mpsc},
};

use super::{commit::Landing, job::Answer};

/// News that a session has not taken yet; more are dropped and the session compares everything again.
const NEWS_QUEUE: usize = 1024;
/// Commits whose notices a watcher has not taken yet; those of more are counted as missed.
const NOTICE_QUEUE: usize = 16_384;

/// What one commit told people. One message for each commit, so that a watcher is woken once.
#[derive(Debug, Clone)]
pub struct Notices {
    /// In the order in which they happened.
    pub all: Arc<[Notice]>,
    /// When they were durable, Unix milliseconds.
    pub at_ms: u64,
    /// How many there were before, since the start: whoever missed some knows how many.
    pub before: u64,
    /// Which commit this was, counted from the start; [`Shared::begun`](super::Shared::begun).
    pub commit: u64,
}

/// A session's share of the news.
pub struct Subscription {
    /// In the order of the commits.
    pub queue: mpsc::Receiver<Arc<News>>,
    lost: Arc<AtomicBool>,
}

impl Subscription {
    /// Whether news were dropped since the last call.
    pub fn lost(&self) -> bool {
        self.lost.swap(false, Ordering::AcqRel)
    }
}

struct Subscriber {
    queue: mpsc::Sender<Arc<News>>,
    lost: Arc<AtomicBool>,
}

/// Who wants to hear of commits.
pub(super) struct Audience {
    subscribers: Mutex<Vec<Subscriber>>,
    notices: broadcast::Sender<Notices>,
    noticed: AtomicU64,
}

/// What is to be told of one commit, or of one that failed.
pub(super) struct Word {
    pub(super) news: Vec<News>,
    pub(super) notices: Vec<Notice>,
    /// When it was durable, Unix milliseconds.
    pub(super) at_ms: u64,
    /// Which commit it was, counted from the start.
    pub(super) commit: u64,
    pub(super) answers: Vec<Answer>,
    pub(super) landing: Landing,
}

impl Default for Audience {
    fn default() -> Self {
        Self {
            subscribers: Mutex::default(),
            notices: broadcast::channel(NOTICE_QUEUE).0,
            noticed: AtomicU64::new(0),
        }
    }
}

impl Audience {
    /// News of every commit from now on.
    pub(super) fn subscribe(&self) -> Subscription {
        let (sender, queue) = mpsc::channel(NEWS_QUEUE);
        let lost = Arc::new(AtomicBool::new(false));
        self.subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Subscriber {
                queue: sender,
                lost: Arc::clone(&lost),
            });
        Subscription { queue, lost }
    }

    /// Notices of every commit from now on.
    pub(super) fn notices(&self) -> broadcast::Receiver<Notices> {
        self.notices.subscribe()
    }

    fn tell(&self, word: Word) {
        if !word.news.is_empty() {
            let mut subscribers = self
                .subscribers
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            subscribers.retain(|subscriber| !subscriber.queue.is_closed());
            for news in word.news.into_iter().map(Arc::new) {
                for subscriber in subscribers.iter() {
                    if subscriber.queue.try_send(Arc::clone(&news)).is_err() {
                        subscriber.lost.store(true, Ordering::Release);
                    }
                }
            }
        }
        if !word.notices.is_empty() {
            let count = word.notices.len() as u64;
            // Nobody listening is no error.
            let _ = self.notices.send(Notices {
                all: word.notices.into(),
                at_ms: word.at_ms,
                before: self.noticed.fetch_add(count, Ordering::Relaxed),
                commit: word.commit,
            });
        }
        for answer in word.answers {
            answer(word.landing.clone());
        }
    }
}

/// The way to the task that tells. It ends with the last of these; what was handed over before is told.
pub(super) struct Herald {
    audience: Arc<Audience>,
    words: Option<mpsc::UnboundedSender<Word>>,
}

impl Herald {
    /// Starts the task on the runtime in which this is called; outside of one, words are told on the thread that brings them.
    ///
    /// The queue has no bound of its own: it holds no more than the jobs whose askers wait.
    pub(super) fn start(audience: Arc<Audience>) -> Self {
        let words = Handle::try_current().ok().map(|runtime| {
            let (words, mut queue) = mpsc::unbounded_channel();
            let audience = Arc::clone(&audience);
            runtime.spawn(async move {
                while let Some(word) = queue.recv().await {
                    audience.tell(word);
                }
            });
            words
        });
        Self { audience, words }
    }

    /// Tells, after what was handed over before.
    pub(super) fn tell(&self, word: Word) {
        let left = match &self.words {
            // The runtime has ended, and with it whoever would have told.
            Some(words) => words.send(word).err().map(|unsent| unsent.0),
            None => Some(word),
        };
        if let Some(word) = left {
            self.audience.tell(word);
        }
    }
}
