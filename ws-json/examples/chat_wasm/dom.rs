//! Short words for what a page is made of.

use js_sys::{Function, Promise};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, Element, Event, EventTarget, HtmlElement, Window};

pub(crate) fn window() -> Window {
    web_sys::window().expect("a page has a window")
}

pub(crate) fn document() -> Document {
    window().document().expect("a window has a document")
}

/// Returns what the page's HTML has by this id.
pub(crate) fn by_id<T: JsCast>(id: &str) -> T {
    let element = document().get_element_by_id(id);
    element.and_then(|element| element.dyn_into().ok()).expect("an id and a type of the page's")
}

pub(crate) fn set_text(id: &str, text: &str) {
    by_id::<Element>(id).set_text_content(Some(text));
}

pub(crate) fn set(element: &Element, attribute: &str, value: &str) {
    element.set_attribute(attribute, value).expect("an attribute that exists");
}

pub(crate) fn focus(id: &str) {
    by_id::<HtmlElement>(id).focus().expect("what can have the focus");
}

/// Makes an element with a text, which is never read as HTML.
pub(crate) fn leaf(tag: &str, class: &str, text: &str) -> Element {
    let element = document().create_element(tag).expect("a tag that exists");
    element.set_class_name(class);
    element.set_text_content(Some(text));
    element
}

/// Makes an element with others in it.
pub(crate) fn node<const N: usize>(tag: &str, class: &str, children: [Element; N]) -> Element {
    let element = leaf(tag, class, "");
    children.iter().for_each(|child| append(&element, child));
    element
}

pub(crate) fn append(parent: &Element, child: &Element) {
    parent.append_child(child).expect("an element takes others");
}

/// Listens to something that is there as long as the page.
pub(crate) fn on(target: &EventTarget, event: &str, listener: impl FnMut(Event) + 'static) {
    let listener = Closure::<dyn FnMut(Event)>::new(listener);
    let function = listener.as_ref().unchecked_ref();
    target.add_event_listener_with_callback(event, function).expect("a target of events");
    // It lives as long as its target: as the page.
    listener.forget();
}

pub(crate) async fn sleep(seconds: f64) {
    let millis = (seconds * 1000.0) as i32;
    let timeout = |resolve: Function, _| {
        _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis);
    };
    _ = JsFuture::from(Promise::new(&mut { timeout })).await;
}
