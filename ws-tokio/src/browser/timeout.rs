//! A timeout of the browser's, which a page, a worker and Node.js all have.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use js_sys::{Function, Reflect, global};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

/// Calls back once, unless it is dropped before.
pub(super) struct Timeout {
    id: JsValue,
    is_over: Rc<Cell<bool>>,
    /// Kept as long as the browser may call it.
    _callback: Closure<dyn FnMut()>,
}

impl Timeout {
    /// `None` for longer than a browser can wait, 24 days.
    pub(super) fn after(time: Duration, callback: impl Fn() + 'static) -> Option<Self> {
        let millis = i32::try_from(time.as_millis()).ok()?;
        let is_over = Rc::new(Cell::new(false));
        let over = is_over.clone();
        let callback = Closure::<dyn FnMut()>::new(move || {
            over.set(true);
            callback();
        });
        let id = call("setTimeout", |function| {
            function.call2(&JsValue::UNDEFINED, callback.as_ref(), &millis.into())
        })?;
        Some(Self { id, is_over, _callback: callback })
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.get()
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        call("clearTimeout", |function| function.call1(&JsValue::UNDEFINED, &self.id));
    }
}

/// Calls one of the global functions.
fn call(name: &str, call: impl FnOnce(&Function) -> Result<JsValue, JsValue>) -> Option<JsValue> {
    let function = Reflect::get(&global(), &name.into()).ok()?;
    call(function.dyn_ref()?).ok()
}
