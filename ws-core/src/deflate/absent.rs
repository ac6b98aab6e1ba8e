//! Stand-ins without the feature `deflate`: types without values, so that decoder and encoder don't depend on the
//! feature.

use std::convert::Infallible;

use bytes::Bytes;

use crate::error::DecodeError;
use crate::message::piece::More;
use crate::pool::Pool;

#[derive(Debug)]
pub(crate) struct Inflater(Infallible);

impl Inflater {
    pub(crate) fn begin(&mut self) {
        match self.0 {}
    }

    pub(crate) fn out(&self) -> &[u8] {
        match self.0 {}
    }

    pub(crate) fn take(&mut self, _: usize) {
        match self.0 {}
    }

    pub(crate) fn is_drained(&self) -> Result<bool, DecodeError> {
        match self.0 {}
    }

    pub(crate) fn push(&mut self, _: &[u8], _: &mut dyn Pool) -> usize {
        match self.0 {}
    }

    pub(crate) fn push_tail(&mut self, _: &mut dyn Pool) -> Result<bool, DecodeError> {
        match self.0 {}
    }

    pub(crate) fn end(&mut self, _: &mut dyn Pool) {
        match self.0 {}
    }
}

#[derive(Debug)]
pub(crate) struct Deflater(Infallible);

impl Deflater {
    pub(crate) fn wants(&self, _: usize) -> bool {
        match self.0 {}
    }

    pub(crate) fn is_off(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn message(&mut self, _: &[u8], _: &mut dyn Pool) -> Option<Vec<u8>> {
        match self.0 {}
    }

    pub(crate) fn piece(&mut self, _: &[u8], _: More, _: &mut dyn Pool) -> Vec<u8> {
        match self.0 {}
    }

    pub(crate) fn can_share(&self, _: usize) -> bool {
        match self.0 {}
    }

    pub(crate) fn share(&self, _: &[u8], _: &mut dyn Pool) -> Bytes {
        match self.0 {}
    }
}
