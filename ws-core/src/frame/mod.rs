//! Frames: headers, masking keys and opcodes, and the contents of control frames (RFC 6455, 5.2 to 5.5 and 7.4).

pub(crate) mod close_code;
pub(crate) mod close_frame;
pub(crate) mod control;
pub(crate) mod header;
pub(crate) mod mask_keys;
pub(crate) mod opcode;
