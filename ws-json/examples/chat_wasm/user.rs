//! What people do on the page.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Date;
use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use wasm_bindgen::JsCast;
use web_sys::{Event, EventTarget, HtmlDialogElement, HtmlTextAreaElement, KeyboardEvent};

use crate::dom::{by_id, document, on, set_text, window};
use crate::talk::{Deed, may_say};

/// How often typing is said, in ms.
const TYPING: f64 = 2000.0;

/// Whoever sits before the page.
pub(crate) struct User {
    /// In the room, over this connection.
    pub(crate) is_inside: Cell<bool>,
    /// Has given a room and a name.
    pub(crate) joins: Notify,
    /// Doesn't want to wait to connect, or needn't.
    pub(crate) hurries: Notify,
    deeds: Sender<Deed>,
    typed_at: Cell<f64>,
}

impl User {
    pub(crate) fn new() -> (Rc<Self>, Receiver<Deed>) {
        // Few that wait, for they may be long.
        let (deeds, receiver) = channel(4);
        let (is_inside, typed_at) = (Cell::default(), Cell::default());
        let (joins, hurries) = (Notify::new(), Notify::new());
        let user = Rc::new(Self { is_inside, joins, hurries, deeds, typed_at });
        user.listen();
        (user, receiver)
    }

    fn listen(self: &Rc<Self>) {
        let on = |target: EventTarget, event, act: fn(&Self, Event)| {
            let user = self.clone();
            on(&target, event, move |event| act(&user, event));
        };
        let hurry: fn(&Self, Event) = |user, _| user.hurries.notify_waiters();
        on(by_id("join"), "close", |user, _| user.closed_dialog());
        on(by_id("leave"), "click", |user, _| _ = user.deeds.try_send(Deed::Leave));
        on(by_id("again"), "click", hurry);
        on(window().into(), "online", hurry);
        on(document().into(), "visibilitychange", hurry);
        on(by_id("text"), "input", |user, _| user.types());
        on(by_id("text"), "keydown", |user, event| {
            let pressed: &KeyboardEvent = event.unchecked_ref();
            if pressed.key() == "Enter" && !pressed.shift_key() && !pressed.is_composing() {
                user.submits(&event);
            }
        });
        on(by_id("composer"), "submit", |user, event| user.submits(&event));
    }

    fn closed_dialog(&self) {
        match &*by_id::<HtmlDialogElement>("join").return_value() {
            "" => ask(), // By Escape; but there is nothing else to do.
            _ => self.joins.notify_one(),
        }
    }

    fn submits(&self, event: &Event) {
        event.prevent_default();
        let field = by_id::<HtmlTextAreaElement>("text");
        let text = field.value().trim_end().to_owned();
        if text.is_empty() {
            return;
        }
        let hint = self.says(text).err().unwrap_or_default();
        if hint.is_empty() {
            field.set_value("");
        }
        set_text("hint", &hint);
    }

    fn says(&self, text: String) -> Result<(), String> {
        if !self.is_inside.get() {
            return Err("Not connected. Your message stays here until you send it.".into());
        }
        may_say(&text)?;
        self.deeds
            .try_send(Deed::Say(text))
            .map_err(|_| "The last message is still on its way.")?;
        self.typed_at.set(0.0);
        Ok(())
    }

    fn types(&self) {
        let due = self.is_inside.get() && Date::now() - self.typed_at.get() >= TYPING;
        if due && !by_id::<HtmlTextAreaElement>("text").value().trim().is_empty() {
            self.typed_at.set(Date::now());
            _ = self.deeds.try_send(Deed::Type);
        }
    }
}

/// Opens the dialog.
pub(crate) fn ask() {
    let dialog = by_id::<HtmlDialogElement>("join");
    dialog.set_return_value("");
    dialog.show_modal().expect("a dialog that isn't open");
}
