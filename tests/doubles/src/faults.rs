//! What goes wrong at a double, by a plan or by a seed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::server::Request;

/// What becomes of a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// It is done this much later, even if the client has gone by then.
    Delay(Duration),
    /// The connection ends and nothing is done.
    DropBefore,
    /// It is done and the connection ends.
    DropAfter,
    /// Nothing is done and nobody answers.
    HangBefore,
    /// It is done and nobody answers.
    HangAfter,
    /// The connection ends, and it is done this much later.
    Late(Duration),
    /// Nothing is done, and this is answered.
    Answer(Answer),
    /// It is done, and this is answered.
    AnswerAfter(Answer),
    /// It is done, and half of the answer comes.
    Truncated,
}

/// An answer word for word. The services have functions for theirs.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status, from 100 to 999.
    pub status: u16,
    /// Names and values, `content-type` too.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// An answer of this content type.
    #[must_use]
    pub fn new(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { status, headers, body: body.into() }
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, header: &'static str, value: impl ToString) -> Self {
        self.headers.push((header, value.to_string()));
        self
    }
}

/// What goes wrong, and when. The clones are one.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    planned: Vec<Planned>,
    happened: usize,
}

/// Which requests fail how.
#[derive(Debug)]
struct Planned {
    route: String,
    text: String,
    when: When,
    faults: Vec<Fault>,
}

#[derive(Debug)]
enum When {
    Next,
    Every { nth: usize, seen: usize },
    Random { random: fastrand::Rng, per_thousand: u64 },
}

impl Faults {
    /// The next request fails whose route ends so and that names this text: in its address, in
    /// `Dropbox-API-Arg` or in a body of JSON or of several parts. `""` is any.
    pub fn fail(&self, route: &str, text: &str, fault: Fault) {
        self.plan(route, text, When::Next, vec![fault]);
    }

    /// Of the requests that [`Faults::fail`] would mean, every n-th fails.
    pub fn fail_every(&self, nth: usize, route: &str, text: &str, fault: Fault) {
        self.plan(route, text, When::Every { nth, seen: 0 }, vec![fault]);
    }

    /// Of all requests, so many of a thousand fail in one of these ways, by the seed.
    pub fn random(&self, seed: u64, per_thousand: u64, faults: Vec<Fault>) {
        self.random_on("", "", seed, per_thousand, faults);
    }

    /// Of the requests that [`Faults::fail`] would mean, so many of a thousand fail in one of these ways, by
    /// the seed.
    pub fn random_on(
        &self,
        route: &str,
        text: &str,
        seed: u64,
        per_thousand: u64,
        faults: Vec<Fault>,
    ) {
        let when = When::Random { random: fastrand::Rng::with_seed(seed), per_thousand };
        self.plan(route, text, when, faults);
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.state().planned.clear();
    }

    /// How many requests failed so far.
    pub fn happened(&self) -> usize {
        self.state().happened
    }

    fn plan(&self, route: &str, text: &str, when: When, faults: Vec<Fault>) {
        let (route, text) = (route.to_owned(), text.to_owned());
        self.state().planned.push(Planned { route, text, when, faults });
    }

    /// What is to become of this one.
    pub(crate) fn of(&self, route: &str, request: &Request) -> Option<Fault> {
        let mut state = self.state();
        for i in 0..state.planned.len() {
            let planned = &mut state.planned[i];
            if !planned.means(route, request) {
                continue;
            }
            if let Some(fault) = planned.strike() {
                if matches!(planned.when, When::Next) {
                    state.planned.remove(i);
                }
                state.happened += 1;
                return Some(fault);
            }
        }
        None
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Planned {
    fn means(&self, route: &str, request: &Request) -> bool {
        route.ends_with(&self.route) && (self.text.is_empty() || names(request, &self.text))
    }

    fn strike(&mut self) -> Option<Fault> {
        let which = match &mut self.when {
            When::Next => 0,
            When::Every { nth, seen } => {
                *seen += 1;
                if *seen % *nth != 0 {
                    return None;
                }
                0
            }
            When::Random { random, per_thousand } => {
                if random.u64(..1000) >= *per_thousand {
                    return None;
                }
                random.usize(..self.faults.len())
            }
        };
        self.faults.get(which).cloned()
    }
}

fn names(request: &Request, text: &str) -> bool {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let kind = header("content-type").unwrap_or_default();
    let is_text = kind.contains("json") || kind.starts_with("multipart/");
    request.uri().to_string().contains(text)
        || header("dropbox-api-arg").is_some_and(|arg| arg.contains(text))
        || (is_text && String::from_utf8_lossy(request.body()).contains(text))
}
