//! What people see on the page.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;

use js_sys::{Date, JSON};
use tokio::sync::mpsc::Receiver;
use web_sys::{Element, HtmlElement, HtmlInputElement, HtmlTextAreaElement};

use crate::client::printable;
use crate::dom::{append, by_id, document, focus, leaf, node, set, set_text, sleep, window};
use crate::talk::{Deed, Show};
use crate::user::{User, ask};

/// How long somebody's typing is shown, in ms.
const TYPING: f64 = 3000.0;
/// Most characters of a message that are shown at first.
const FOLD: usize = 1500;
/// Most lines in the log, and most bytes unless one message alone has more.
const LOG: (u32, usize) = (500, 16 << 20);
/// Most time between messages of one group, in ms.
const GROUP: u64 = 5 * 60_000;

pub(crate) struct Page {
    user: Rc<User>,
    deeds: Receiver<Deed>,
    me: String,
    members: BTreeSet<String>,
    /// Who is typing, and until when that is shown.
    typing: BTreeMap<String, f64>,
    /// Whose message is the last line, and when it was said.
    last: Option<(String, u64)>,
    /// In the log.
    bytes: usize,
    /// Whether the log is that of an earlier talk.
    is_old: bool,
}

impl Page {
    pub(crate) fn new() -> Self {
        let (user, deeds) = User::new();
        let (members, typing) = (BTreeSet::new(), BTreeMap::new());
        Self { user, deeds, me: String::new(), members, typing, last: None, bytes: 0, is_old: true }
    }

    /// Says why, and asks for a room and a name.
    pub(crate) async fn ask(&mut self, why: &str) -> (String, String) {
        self.show("off", "Not connected");
        // What wasn't sent to one room isn't for the next.
        while self.deeds.try_recv().is_ok() {}
        self.is_old = true;
        set_text("join-error", why);
        ask();
        self.user.joins.notified().await;
        let value = |id| by_id::<HtmlInputElement>(id).value();
        (value("join-room"), value("join-name"))
    }

    /// Shows how the connection is; only when "on", messages can be said.
    pub(crate) fn show(&mut self, state: &str, words: &str) {
        set(&by_id("state"), "data-state", state);
        set_text("state", words);
        self.user.is_inside.set(state == "on");
        by_id::<HtmlElement>("leave").set_hidden(state != "on");
        at_end_still(|| by_id::<HtmlElement>("notice").set_hidden(state != "lost"));
        self.typing.clear();
        self.list_typing();
    }

    /// Says why there is no connection and waits so many seconds, unless the user hurries.
    pub(crate) async fn pause(&mut self, why: &str, mut seconds: f64) {
        self.show("lost", "Not connected");
        while seconds > 0.0 {
            let words = format!("{why} Trying again in {} s.", seconds.ceil());
            at_end_still(|| set_text("notice-text", &words));
            tokio::select! {
                () = sleep(seconds.min(1.0)) => seconds -= 1.0,
                () = self.user.hurries.notified() => return,
            }
        }
    }

    fn list_members(&self) {
        set_text("count", &self.members.len().to_string());
        set_text("list", "");
        for name in &self.members {
            let you = if *name == self.me { "you" } else { "" };
            let shown = [avatar(name), leaf("bdi", "", name), leaf("small", "", you)];
            append(&by_id("list"), &node("li", &hue(name), shown));
        }
    }

    fn list_typing(&mut self) {
        self.typing.retain(|_, until| *until > Date::now());
        let words = match &*self.typing.keys().collect::<Vec<_>>() {
            [] => String::new(),
            [one] => format!("{one} is typing"),
            [one, two] => format!("{one} and {two} are typing"),
            _ => "Several people are typing".to_owned(),
        };
        set_text("typing", &words);
    }

    fn stops_typing(&mut self, name: &str) {
        self.typing.remove(name);
        self.list_typing();
    }

    fn add_event(&mut self, name: &str, what: &str) {
        self.add(&node("p", "event", [leaf("bdi", "", name), leaf("span", "", what)]));
        self.last = None;
    }

    /// Adds a line to the log.
    fn add(&mut self, line: &Element) {
        let said = by_id::<Element>("said");
        at_end_still(|| append(&said, line));
        let length = |line: &Element| line.text_content().unwrap_or_default().len();
        self.bytes += length(line);
        while said.child_element_count() > LOG.0
            || self.bytes > LOG.1 && said.child_element_count() > 1
        {
            let oldest = said.first_element_child().expect("one of them");
            self.bytes -= length(&oldest);
            oldest.remove();
        }
    }
}

impl Show for Page {
    async fn deed(&mut self) -> io::Result<Deed> {
        loop {
            tokio::select! {
                deed = self.deeds.recv() => return Ok(deed.expect("the user's end")),
                () = sleep(0.5), if !self.typing.is_empty() => self.list_typing(),
            }
        }
    }

    fn joined(&mut self, room: &str, name: &str, members: Vec<String>) {
        if self.is_old {
            set_text("said", "");
            set_text("unsent", "");
            (self.last, self.bytes, self.is_old) = (None, 0, false);
            focus("text");
        }
        self.me = name.to_owned();
        self.members = members.into_iter().collect();
        self.list_members();
        set_text("room", room);
        document().set_title(room);
        set_text("hint", "");
        // The history isn't read out.
        set(&by_id("log"), "aria-busy", "true");
        self.show("on", "Connected");
    }

    fn caught_up(&mut self) {
        set(&by_id("log"), "aria-busy", "false");
    }

    fn entered(&mut self, name: &str) {
        self.members.insert(name.to_owned());
        self.list_members();
        self.add_event(name, " joined");
    }

    fn left(&mut self, name: &str) {
        self.members.remove(name);
        self.list_members();
        self.stops_typing(name);
        self.add_event(name, " left");
    }

    fn typing(&mut self, name: &str) {
        self.typing.insert(name.to_owned(), Date::now() + TYPING);
        self.list_typing();
    }

    fn said(&mut self, name: &str, at: u64, text: &str) {
        self.stops_typing(name);
        let mut class = format!("message {}", hue(name));
        if name == self.me {
            class += " own";
        }
        if self.last.as_ref().is_some_and(|(last, then)| last == name && at < then + GROUP) {
            class += " follow";
        }
        let meta = node("p", "meta", [leaf("bdi", "", name), clock(at)]);
        self.add(&node("article", &class, [avatar(name), meta, bubble(text)]));
        self.last = Some((name.to_owned(), at));
    }

    fn saying(&mut self, id: u64, text: &str) {
        let fate = leaf("p", "fate", "Sending…");
        let message = node("article", "message own sending", [bubble(text), fate]);
        message.set_id(&format!("unsent-{id}"));
        append(&by_id("unsent"), &message);
        to_end();
    }

    fn delivered(&mut self, id: u64) {
        by_id::<Element>(&format!("unsent-{id}")).remove();
    }

    fn undelivered(&mut self, id: u64, text: &str) {
        self.delivered(id);
        let field = by_id::<HtmlTextAreaElement>("text");
        let both = [text, &field.value()].join("\n");
        field.set_value(both.trim_end());
        set_text("hint", "That was not delivered; say it again if you like.");
    }
}

/// Makes a change, and leaves the log at its end if it was there.
fn at_end_still(change: impl FnOnce()) {
    let log = by_id::<Element>("log");
    let was_at_end = log.scroll_height() - log.scroll_top() - log.client_height() < 40;
    change();
    if was_at_end {
        to_end();
    }
}

fn to_end() {
    let log = by_id::<Element>("log");
    log.set_scroll_top(log.scroll_height());
}

/// A text, most of it folded if it is long.
fn bubble(text: &str) -> Element {
    let text = printable(text);
    let (shown, rest) = match text.char_indices().nth(FOLD) {
        Some((at, _)) => text.split_at(at),
        None => (&*text, ""),
    };
    let paragraph = |text| {
        let paragraph = leaf("p", "text", text);
        set(&paragraph, "dir", "auto");
        paragraph
    };
    let bubble = node("div", "bubble", [paragraph(shown)]);
    if !rest.is_empty() {
        let more = leaf("summary", "more", &format!("{} more characters", rest.chars().count()));
        append(&bubble, &node("details", "", [more, paragraph(rest)]));
    }
    bubble
}

fn clock(at: u64) -> Element {
    let date = Date::new(&(at as f64).into());
    let options = JSON::parse(r#"{"hour":"2-digit","minute":"2-digit"}"#).unwrap_or_default();
    let language = window().navigator().language().unwrap_or_else(|| "en".to_owned());
    let time = leaf("time", "", &String::from(date.to_locale_string(&language, &options)));
    set(&time, "datetime", &String::from(date.to_iso_string()));
    time
}

fn avatar(name: &str) -> Element {
    let avatar = leaf("span", "avatar", &name.chars().take(1).collect::<String>());
    set(&avatar, "aria-hidden", "true");
    avatar
}

/// A class with a colour that a name always has.
fn hue(name: &str) -> String {
    let mix = |hash: u32, c: char| hash.wrapping_add(c.into()).wrapping_mul(0x9e37_79b1);
    format!("hue-{}", name.chars().fold(0, mix) >> 29)
}
