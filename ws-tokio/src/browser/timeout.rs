//! A timeout of the browser's, which a page, a worker and Node.js all have.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use js_sys::global;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Window;

/// Calls back once, unless it is dropped before.
pub(super) struct Timeout {
    id: i32,
    is_over: Rc<Cell<bool>>,
    /// Kept as long as the browser may call it.
    _callback: Closure<dyn FnMut(JsValue)>,
}

impl Timeout {
    /// `None` for longer than a browser can wait, 24 days.
    pub(super) fn after(time: Duration, callback: impl Fn() + 'static) -> Option<Self> {
        let millis = time.as_secs_f64() * 1e3;
        if millis > f64::from(i32::MAX) {
            return None;
        }
        let is_over = Rc::new(Cell::new(false));
        let over = is_over.clone();
        let callback = Closure::<dyn FnMut(JsValue)>::new(move |_| {
            over.set(true);
            callback();
        });
        let function = callback.as_ref().unchecked_ref();
        let id =
            scope().set_timeout_with_callback_and_timeout_and_arguments_0(function, millis as i32);
        Some(Self { id: id.ok()?, is_over, _callback: callback })
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.get()
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        scope().clear_timeout_with_handle(self.id);
    }
}

/// What has timeouts: not everywhere a window, but of the same methods.
fn scope() -> Window {
    global().unchecked_into()
}
