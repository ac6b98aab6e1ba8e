//! The start of a frame: its header is checked against the current message (RFC 6455, 5.1, 5.4 and 5.5).

use super::assembler::Assembler;
use super::body::Body;
use super::control::control;
use super::inflated::stage;
use super::open_message::{Coding, OpenMessage};
use super::state::State;
use super::step::{ControlKind, Outcome, Step};
use super::whole::WholeFrame;
use super::{Decoder, Delivery};
use crate::error::DecodeError;
use crate::frame::header::Header;
use crate::frame::opcode::Opcode;
use crate::message::MessageKind;
use crate::pool::Pool;
use crate::text::utf8::Utf8;

impl Decoder {
    /// Parses a header and checks it against the current message.
    #[inline]
    pub(super) fn start_frame(
        &mut self,
        input: &[u8],
        pool: &mut dyn Pool,
    ) -> Result<Step, DecodeError> {
        let Some((header, header_len)) = Header::parse(input)? else { return Ok(Step::STARVED) };
        match header.mask {
            Some(_) if !self.expects_masks() => return Err(DecodeError::MaskUnexpected),
            None if self.expects_masks() => return Err(DecodeError::MaskMissing),
            Some(_) | None => {}
        }
        let open = match &mut self.state {
            State::Open(message) => Some(message),
            State::Start(_) | State::Whole(_) | State::Closed => None,
        };
        let kind = match (header.opcode, open) {
            (Opcode::Continuation, Some(message)) => {
                message.start_frame(&header, &mut self.extras)?;
                return Ok(Step::again(header_len));
            }
            (Opcode::Continuation, None) => return Err(DecodeError::ContinuationWithoutStart),
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(DecodeError::MessageInsideMessage);
            }
            (Opcode::Text, None) => MessageKind::Text,
            (Opcode::Binary, None) => MessageKind::Binary,
            (Opcode::Ping, _) => return Ok(control(ControlKind::Ping, &header, header_len, input)),
            (Opcode::Pong, _) => return Ok(control(ControlKind::Pong, &header, header_len, input)),
            (Opcode::Close, _) => {
                let step = control(ControlKind::Close, &header, header_len, input);
                if matches!(step.outcome, Outcome::Found(_)) {
                    self.end();
                }
                return Ok(step);
            }
        };
        self.start_message(kind, &header, header_len, pool)
    }

    /// Starts a message. If it has one frame, uncompressed and wanted whole, it stays in the input.
    fn start_message(
        &mut self,
        kind: MessageKind,
        header: &Header,
        header_len: usize,
        pool: &mut dyn Pool,
    ) -> Result<Step, DecodeError> {
        let coding = if header.rsv1 { Coding::Deflated } else { Coding::Plain };
        // RSV1 marks the whole message (RFC 7692, 6).
        match coding {
            Coding::Deflated => stage(&mut self.extras)?.begin(),
            Coding::Plain => {}
        }
        let body = match self.delivery {
            Delivery::Messages if header.fin && coding == Coding::Plain => {
                let len = self.limits().admit(header.len)?;
                self.state.forget_last(pool);
                self.state = State::Whole(WholeFrame::new(kind, header, header_len, len));
                return Ok(Step::AGAIN);
            }
            Delivery::Messages => Body::Gathered(Assembler::new(kind, self.state.memory(pool))),
            Delivery::Pieces(chunk) => {
                self.state.forget_last(pool);
                Body::Streamed(Utf8::new(), chunk)
            }
        };
        let mut message = OpenMessage::new(kind, coding, self.limits(), body);
        message.start_frame(header, &mut self.extras)?;
        self.state = State::Open(message);
        Ok(Step::again(header_len))
    }
}
