//! What was done on each connection, told by both ends of it, balanced when both are gone, and added up.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use ws_tokio::{CloseCode, Error};

/// The accounts of the connections that are there, and the sum of the others'.
#[derive(Default)]
pub(crate) struct Books {
    open: Mutex<HashMap<u64, Arc<Account>>>,
    totals: Mutex<Totals>,
}

impl Books {
    /// A new connection's account.
    pub(crate) fn open(&self, number: u64) -> Arc<Account> {
        let account = Arc::new(Account::default());
        let known = self.open.lock().expect("no panic").insert(number, account.clone());
        assert!(known.is_none(), "each connection has a number of its own");
        account
    }

    /// The account of the connection with this number, for its other end.
    pub(crate) fn find(&self, number: u64) -> Arc<Account> {
        self.open.lock().expect("no panic").remove(&number).expect("a connection that is known")
    }

    /// One end of the connection is gone, and all that belonged to it.
    pub(crate) fn leave(&self, account: Arc<Account>) {
        if let Some(account) = Arc::into_inner(account) {
            self.totals.lock().expect("no panic").add(&account);
        }
    }

    /// Nothing is left to be told.
    pub(crate) fn close(self) -> Totals {
        assert!(self.open.into_inner().expect("no panic").is_empty(), "each was served");
        self.totals.into_inner().expect("no panic")
    }
}

#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn one_more(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[derive(Default)]
pub(crate) struct Flag(AtomicBool);

impl Flag {
    pub(crate) fn raise(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_up(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// One connection. What is sent is counted just before, what is received just after.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) sent: Count,
    pub(crate) received: Count,
    pub(crate) answered: Count,
    pub(crate) echoed: Count,
    pub(crate) pushed: Count,
    pub(crate) heard: Count,
    /// Pings of both ends.
    pub(crate) pings: Count,
    pub(crate) pongs: Count,
    pub(crate) stalls: Count,
    pub(crate) compressed: Flag,
    pub(crate) in_halves: Flag,
    pub(crate) deaf: Flag,
    /// The client has done all that it wanted, and heard all that it was to hear.
    pub(crate) finished: Flag,
    /// An end is about to end the connection, or has stopped to receive; then the other may fail.
    pub(crate) client_breaks_off: Flag,
    pub(crate) server_breaks_off: Flag,
    /// Notified when the client has gone.
    pub(crate) client_left: Notify,
}

impl Account {
    /// An end that fails has a reason: one of the two broke off.
    pub(crate) fn expect(&self, error: &Error) {
        let broken = self.client_breaks_off.is_up() || self.server_breaks_off.is_up();
        assert!(broken, "nobody broke off: {error}");
        let looks_so = match error {
            Error::Closed(frame) => frame.code() == CloseCode::TRY_AGAIN_LATER,
            Error::Cut(_) | Error::Io(_) | Error::Send(_) | Error::CloseTimeout => true,
            _ => false,
        };
        assert!(looks_so, "breaking off doesn't look so: {error}");
    }

    fn balance(&self) {
        let ways = [
            [&self.sent, &self.received, &self.answered, &self.echoed].map(Count::get).to_vec(),
            [&self.pushed, &self.heard].map(Count::get).to_vec(),
            [&self.pings, &self.pongs].map(Count::get).to_vec(),
        ];
        for way in ways {
            assert!(way.is_sorted_by(|a, b| a >= b), "more came than went: {way:?}");
            let lost = way.iter().any(|count| *count != way[0]);
            assert!(!lost || !self.finished.is_up(), "lost by one that finished: {way:?}");
        }
    }
}

/// The sum of all accounts.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) connections: u64,
    finished: u64,
    broken_by_server: u64,
    broken_by_client: u64,
    compressed: u64,
    in_halves: u64,
    deaf: u64,
    stalls: u64,
    sent: u64,
    echoed: u64,
    /// Messages on connections one end of which never received.
    unheard: u64,
    pushed: u64,
    heard: u64,
    pings: u64,
    pongs: u64,
}

impl Totals {
    fn add(&mut self, account: &Account) {
        account.balance();
        self.connections += 1;
        match (account.finished.is_up(), account.server_breaks_off.is_up()) {
            (true, _) => self.finished += 1,
            (false, true) => self.broken_by_server += 1,
            (false, false) if account.client_breaks_off.is_up() => self.broken_by_client += 1,
            (false, false) => panic!("it neither finished nor was broken off"),
        }
        self.compressed += u64::from(account.compressed.is_up());
        self.in_halves += u64::from(account.in_halves.is_up());
        self.deaf += u64::from(account.deaf.is_up());
        self.stalls += account.stalls.get();
        match account.deaf.is_up() {
            true => self.unheard += account.sent.get(),
            false => self.sent += account.sent.get(),
        }
        self.echoed += account.echoed.get();
        self.pushed += account.pushed.get();
        self.heard += account.heard.get();
        self.pings += account.pings.get();
        self.pongs += account.pongs.get();
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} connections, {} in halves, {} compressed: {} finished and lost nothing, {} were broken off by the server, \
             {} by the client, {} of them by a stall without end ({} other stalls): ",
            self.connections,
            self.in_halves,
            self.compressed,
            self.finished,
            self.broken_by_server,
            self.broken_by_client,
            self.deaf,
            self.stalls,
        )?;
        let flows = [
            ("messages", self.sent, "echoed", self.echoed),
            ("pushes", self.pushed, "heard", self.heard),
            ("pings", self.pings, "answered", self.pongs),
        ];
        let told = flows.map(|(what, went, how, came)| {
            format!("{went} {what} = {came} {how} + {} on those broken off", went - came)
        });
        write!(f, "{}, {} messages to ends that never received", told.join(", "), self.unheard)
    }
}
