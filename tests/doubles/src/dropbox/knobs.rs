//! What a test may turn, beside [`crate::Faults`].

use std::time::Duration;

use super::Dropbox;
use super::account::grant;

/// How the double behaves where the service may do this or that.
#[derive(Debug)]
pub(crate) struct Knobs {
    /// The most entries of a page, however many are asked for.
    pub(crate) page_size: usize,
    /// How long a batch holds the lock of the namespace.
    pub(crate) batch_time: Duration,
    /// How long a second of a longpoll is.
    pub(crate) second: Duration,
    /// What a longpoll says to wait, in seconds.
    pub(crate) backoff: Option<u64>,
    /// How many longpolls are answered at once with changes that are none.
    pub(crate) false_alarms: usize,
    /// Entries of batches to refuse: what their paths hold, how many.
    pub(crate) refused_entries: Vec<(String, usize)>,
    /// Of all entries of batches, every n-th is refused; 0 is none.
    pub(crate) refused_every: usize,
    /// How many entries came while [`Knobs::refused_every`] was set.
    pub(crate) entries: usize,
    /// The longest value of a header, in bytes.
    pub(crate) header: usize,
    /// Whether the user in the browser says no.
    pub(crate) says_no: bool,
    /// How many bytes all files together may have.
    pub(crate) space: usize,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            page_size: usize::MAX,
            batch_time: Duration::ZERO,
            second: Duration::from_secs(1),
            backoff: None,
            false_alarms: 0,
            refused_entries: Vec::new(),
            refused_every: 0,
            entries: 0,
            header: usize::MAX,
            says_no: false,
            space: usize::MAX,
        }
    }
}

impl Knobs {
    /// Whether this entry of a batch is to be refused.
    pub(crate) fn refuses(&mut self, path: &str) -> bool {
        let wanted =
            |(text, left): &&mut (String, usize)| *left > 0 && path.contains(text.as_str());
        if let Some((_, left)) = self.refused_entries.iter_mut().find(wanted) {
            *left -= 1;
            return true;
        }
        self.entries += 1;
        self.refused_every > 0 && self.entries.is_multiple_of(self.refused_every)
    }
}

impl Dropbox {
    /// No page of a list has more entries than this.
    pub fn set_page_size(&self, entries: usize) {
        self.api.account().knobs.page_size = entries;
    }

    /// A batch of writes or deletes holds the lock of the namespace for this long before it answers. Others
    /// that write meanwhile are refused: `too_many_write_operations`.
    pub fn set_batch_time(&self, time: Duration) {
        self.api.account().knobs.batch_time = time;
    }

    /// How long a second of a longpoll's timeout is, so that tests need not wait for half a minute.
    pub fn set_longpoll_second(&self, second: Duration) {
        self.api.account().knobs.second = second;
    }

    /// Longpolls ask for so many seconds of peace before the next.
    pub fn set_longpoll_backoff(&self, seconds: Option<u64>) {
        self.api.account().knobs.backoff = seconds;
    }

    /// The next longpolls say at once that there are changes, and there are none: as after a change outside
    /// the folder.
    pub fn raise_false_alarms(&self, longpolls: usize) {
        self.api.account().knobs.false_alarms = longpolls;
    }

    /// The next entries of batches whose path holds this text fail with `too_many_write_operations`, inside
    /// an answer of 200.
    pub fn refuse_entries(&self, text: &str, entries: usize) {
        self.api.account().knobs.refused_entries.push((text.to_owned(), entries));
    }

    /// Every n-th entry of all batches fails with `too_many_write_operations`; 0 ends it.
    pub fn refuse_every_entry(&self, nth: usize) {
        self.api.account().knobs.refused_every = nth;
    }

    /// No header may be longer, `Dropbox-API-Arg` neither: 431. How long the service takes is not known.
    pub fn set_header_limit(&self, bytes: usize) {
        self.api.account().knobs.header = bytes;
    }

    /// All files together may have so many bytes.
    pub fn set_space(&self, bytes: usize) {
        self.api.account().knobs.space = bytes;
    }

    /// All cursors given so far are answered `reset`.
    pub fn reset_cursors(&self) {
        let mut account = self.api.account();
        account.cursors.values_mut().for_each(|cursor| cursor.is_void = true);
    }

    /// All upload sessions end, as if they were a week old.
    pub fn forget_sessions(&self) {
        self.api.account().sessions.clear();
    }

    /// All access tokens end, as after four hours. Refresh tokens live on.
    pub fn expire_tokens(&self) {
        self.api.account().tokens.expire();
    }

    /// Access tokens that are given from now on live for so long.
    pub fn set_token_life(&self, life: Duration) {
        self.api.account().tokens.life = life;
    }

    /// The user takes back what was allowed: all tokens are void, refresh tokens too.
    pub fn revoke_all(&self) {
        self.api.account().tokens.revoke_all();
    }

    /// Another access token, with only these scopes, such as `files.content.read`.
    pub fn token_for(&self, scopes: &[&str]) -> String {
        self.api.account().tokens.grant(grant(scopes)).access
    }

    /// The user who opens `/oauth2/authorize` in the browser says no from now on, instead of yes.
    pub fn refuse_consent(&self) {
        self.api.account().knobs.says_no = true;
    }

    /// The user says yes in the browser to a request with this challenge (S256 of the verifier) and redirect:
    /// the code, which is good once.
    pub fn allow(&self, challenge: &str, redirect: Option<&str>) -> String {
        let grant = grant(&super::account::SCOPES);
        self.api.account().tokens.allow(grant, challenge, redirect)
    }
}
