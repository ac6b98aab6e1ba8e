//! The client's side: parse a URL, make the request, judge the answer.
//!
//! Layers, lowest first: refusal_body, target; into_target, offer, redirect; answer.

mod answer;
mod into_target;
mod offer;
mod redirect;
mod refusal_body;
mod target;

pub use answer::{Accepted, Answer, AnswerError};
pub use into_target::IntoTarget;
pub use offer::{Offer, OfferError};
pub use redirect::{Credentials, Redirect, RedirectError};
pub use refusal_body::{BodyState, RefusalBody};
pub use target::{Security, Target, UrlError, UrlFault};
