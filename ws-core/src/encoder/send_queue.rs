//! Encoded bytes that are not yet written: small frames in one buffer, large payloads by reference.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};

use bytes::{Buf, Bytes};
use ws_mask::{mask, mask_extend};

use super::by_ref::{ByRef, ByRefs, CHUNK};
use super::payload_writer::PayloadWriter;
use crate::frame::header::Header;
use crate::pool::{self, Pool};

/// Bytes to be written, in order. A partial write moves an offset, never bytes.
///
/// ```text
/// buffer   [ written | hdr payload | hdr payload | hdr | hdr payload ]
///                    ^ head                            ^ at
/// by_ref                                     payload --'
/// ```
///
/// A payload that has to be masked has its next bytes in the buffer, in front of `at`.
#[derive(Debug, Default)]
pub struct SendQueue {
    /// Headers, and payloads that were copied.
    buffer: Vec<u8>,
    /// How many bytes of `buffer` are written. Invariant: at most `by_ref.first.at`.
    head: usize,
    /// Payloads outside the buffer. Boxed, since most queues have none.
    by_ref: Option<Box<ByRefs>>,
}

impl SendQueue {
    /// Makes an empty queue, without allocating.
    #[must_use]
    pub const fn new() -> Self {
        Self { buffer: Vec::new(), head: 0, by_ref: None }
    }

    /// Returns the number of bytes queued and not yet written.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.buffer.len() - self.head + self.by_ref.as_ref().map_or(0, |by_ref| by_ref.len)
    }

    /// Returns whether everything is written.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `out` with the first slices of the queue, for a vectored write. Returns how many. They end before what a client
    /// hasn't masked yet; there is more in them after [`advance`](Self::advance).
    pub fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        let mut put = |bytes: &'a [u8]| {
            if let (false, Some(slot)) = (bytes.is_empty(), out.get_mut(filled)) {
                *slot = IoSlice::new(bytes);
                filled += 1;
            }
            filled < out.len()
        };
        let mut from = self.head;
        for ByRef { at, payload, key } in self.by_ref.iter().flat_map(|by_ref| by_ref.iter()) {
            if !put(&self.buffer[from..*at]) || key.is_some() || !put(payload) {
                return filled;
            }
            from = *at;
        }
        put(&self.buffer[from..]);
        filled
    }

    /// Returns the longest run of queued bytes at the front, for transports without vectored writes.
    #[must_use]
    pub fn first_slice(&self) -> &[u8] {
        match self.by_ref.as_ref().map(|by_ref| &by_ref.first) {
            None => &self.buffer[self.head..],
            Some(ByRef { at, payload, .. }) if *at == self.head => payload,
            Some(ByRef { at, .. }) => &self.buffer[self.head..*at],
        }
    }

    /// Removes bytes that were written.
    ///
    /// # Panics
    /// If more was written than is queued, as only a broken transport does.
    pub fn advance(&mut self, written: usize) {
        let len = self.len();
        assert!(written <= len, "{written} bytes written of {len}");
        if written == len {
            // Also where it is given up: then nothing has to be masked any more.
            self.buffer.clear();
            (self.head, self.by_ref) = (0, None);
            return;
        }
        let mut left = written;
        while let Some(by_ref) = self.by_ref.as_deref_mut() {
            let copied = left.min(by_ref.first.at - self.head);
            self.head += copied;
            left -= copied;
            if self.head < by_ref.first.at {
                return;
            }
            if let Some(key) = by_ref.first.key {
                self.head = by_ref.stage(&mut self.buffer, key);
            } else {
                let shared = left.min(by_ref.first.payload.len());
                by_ref.first.payload.advance(shared);
                by_ref.len -= shared;
                left -= shared;
            }
            if by_ref.first.payload.is_empty() {
                match by_ref.rest.pop_front() {
                    Some(next) => by_ref.first = next,
                    None => self.by_ref = None,
                }
            } else if by_ref.first.key.is_none() {
                return;
            }
        }
        self.head += left;
    }

    /// Writes everything to a blocking stream, or as much as a non-blocking one takes now, in vectored writes.
    ///
    /// # Errors
    /// Those of `out`; of the kind [`WouldBlock`](io::ErrorKind::WouldBlock) if a non-blocking stream is full. What was
    /// not written stays queued, for another call.
    ///
    /// # Examples
    /// ```
    /// use ws_core::{Encoder, MessageRef, SendQueue, Unpooled};
    ///
    /// let (mut encoder, mut queue) = (Encoder::server(), SendQueue::new());
    /// encoder.message(MessageRef::Text("hi"), &mut queue, &mut Unpooled)?;
    /// let mut socket = Vec::new();
    /// queue.write_to(&mut socket)?;
    /// assert_eq!(socket, b"\x81\x02hi");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write_to(&mut self, out: &mut impl Write) -> io::Result<()> {
        while !self.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let filled = self.slices(&mut slices);
            match out.write_vectored(&slices[..filled]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.advance(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Frees memory that an idle connection must not own; to be called when the caller waits. A remainder of up to 16
    /// KiB moves to an allocation of its own size.
    pub fn park(&mut self, pool: &mut dyn Pool) {
        if pool::park(&mut self.buffer, self.head, pool) {
            self.rebase();
        }
    }

    /// Queues a frame, copying its payload; masks it in the same pass if the header has a key.
    #[inline]
    pub(crate) fn copy(&mut self, header: &Header, payload: &[u8], pool: &mut dyn Pool) {
        self.make_room(Header::MAX_LEN + payload.len(), pool);
        header.put(|bytes| self.buffer.extend_from_slice(bytes));
        match header.mask {
            Some(key) => _ = mask_extend(&mut self.buffer, payload, key),
            None => self.buffer.extend_from_slice(payload),
        }
    }

    /// Queues a frame, with its payload by reference; one to be masked, but for the first bytes.
    pub(crate) fn reference(&mut self, header: &Header, mut payload: Bytes, pool: &mut dyn Pool) {
        let first = if header.mask.is_some() { payload.len().min(CHUNK) } else { 0 };
        self.make_room(Header::MAX_LEN + first, pool);
        header.put(|bytes| self.buffer.extend_from_slice(bytes));
        let mask = |key| mask_extend(&mut self.buffer, &payload[..first], key);
        let key = header.mask.map(mask);
        payload.advance(first);
        if payload.is_empty() {
            return;
        }
        let (len, entry) = (payload.len(), ByRef { at: self.buffer.len(), payload, key });
        match &mut self.by_ref {
            Some(by_ref) => {
                by_ref.len += len;
                by_ref.rest.push_back(entry);
            }
            None => {
                let by_ref = ByRefs { first: entry, rest: VecDeque::new(), len };
                self.by_ref = Some(Box::new(by_ref));
            }
        }
    }

    /// Queues a frame whose payload `fill` writes behind a reserved header, which is filled in afterwards. If `fill`
    /// fails or panics, nothing is queued. Returns the payload's length.
    pub(crate) fn fill<E>(
        &mut self,
        header: Header,
        pool: &mut dyn Pool,
        fill: impl FnOnce(&mut PayloadWriter<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        // Most payloads that are worth it have a 16-bit length; others are moved by 2 or 6 bytes.
        const GUESS: u64 = 126;
        let reserved = Header { len: GUESS, ..header }.encode().1;
        self.make_room(reserved, pool);
        let start = self.buffer.len();
        self.buffer.resize(start + reserved, 0);
        let mut writer = PayloadWriter { buffer: &mut self.buffer, end: start };
        fill(&mut writer)?;
        writer.end = writer.buffer.len();
        drop(writer);
        let payload = &mut self.buffer[start + reserved..];
        mask(payload, header.key());
        let len = payload.len();
        let (head, head_len) = Header { len: len as u64, ..header }.encode();
        self.buffer.splice(start..start + reserved, head[..head_len].iter().copied());
        Ok(len)
    }

    /// Makes room for `more` bytes: a pool's buffer for an empty queue, or the written front if that is enough.
    #[inline]
    fn make_room(&mut self, more: usize, pool: &mut dyn Pool) {
        if self.buffer.capacity() - self.buffer.len() < more {
            self.grow(more, pool);
        }
    }

    #[cold]
    fn grow(&mut self, more: usize, pool: &mut dyn Pool) {
        if self.buffer.capacity() == 0 {
            self.buffer = pool.take_for(more);
            self.buffer.clear();
        }
        // Moving the rest to the front pays if at least as much was written: then each byte moves at most once.
        if self.head > 0 && self.head >= self.buffer.len() / 2 {
            self.buffer.drain(..self.head);
            self.rebase();
        }
        self.buffer.reserve(more);
    }

    /// The written front of the buffer was removed.
    fn rebase(&mut self) {
        let head = std::mem::take(&mut self.head);
        if let Some(by_ref) = self.by_ref.as_deref_mut() {
            by_ref.shift(|at| at - head);
        }
    }
}

/// Most slices of one vectored write.
const SLICES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::opcode::Opcode;
    use crate::pool::Unpooled;
    use proptest::prelude::*;
    use ws_mask::MaskKey;

    fn header(len: usize) -> Header {
        Header { fin: true, rsv1: false, opcode: Opcode::Binary, mask: None, len: len as u64 }
    }

    fn queued(queue: &SendQueue) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 64];
        let filled = queue.slices(&mut slices);
        slices[..filled].iter().flat_map(|slice| slice.iter().copied()).collect()
    }

    #[test]
    fn small_frames_stand_side_by_side_and_large_ones_by_reference() {
        let mut queue = SendQueue::new();
        let large = Bytes::from(vec![7; 20_000]);
        queue.copy(&header(2), b"hi", &mut Unpooled);
        queue.reference(&header(20_000), large.clone(), &mut Unpooled);
        queue.copy(&header(1), b"!", &mut Unpooled);
        let mut slices = [IoSlice::new(&[]); 4];
        assert_eq!(queue.slices(&mut slices), 3);
        assert_eq!(&*slices[0], b"\x82\x02hi\x82\x7e\x4e\x20");
        assert_eq!(slices[1].as_ptr(), large.as_ptr());
        assert_eq!(&*slices[2], b"\x82\x01!");
    }

    #[test]
    fn a_payload_to_be_masked_is_never_all_in_memory() {
        let (mut queue, mut pool) = (SendQueue::new(), Counting::default());
        let (payload, key) = (Bytes::from(vec![7; 20 * CHUNK]), MaskKey::from(*b"key!"));
        let header = Header { mask: Some(key), ..header(payload.len()) };
        queue.reference(&header, payload.clone(), &mut pool);
        queue.copy(&header, b"behind", &mut pool);
        let mut written = Vec::new();
        while !queue.is_empty() {
            let first = queue.first_slice().len().min(CHUNK / 3 * 2);
            written.extend_from_slice(&queue.first_slice()[..first]);
            queue.advance(first);
            assert!(queue.buffer.capacity() <= 2 * (CHUNK + Header::MAX_LEN));
        }
        let mut expected = header.encode().0.to_vec();
        mask_extend(&mut expected, &payload, key);
        expected.extend(header.encode().0);
        mask_extend(&mut expected, b"behind", key);
        assert!(written == expected);
    }

    /// A stream that takes some bytes at a time, and answers as it is told in between.
    #[derive(Default)]
    struct Reluctant {
        written: Vec<u8>,
        answers: Vec<io::ErrorKind>,
    }

    impl Write for Reluctant {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.answers.pop() {
                Some(io::ErrorKind::WriteZero) => Ok(0),
                Some(kind) => Err(kind.into()),
                None => self.written.write(&bytes[..bytes.len().min(7)]),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_queue_is_written_whole_and_keeps_what_a_stream_did_not_take() {
        let mut queue = SendQueue::new();
        for _ in 0..SLICES {
            queue.copy(&header(2), b"hi", &mut Unpooled);
            queue.reference(&header(300), Bytes::from(vec![7; 300]), &mut Unpooled);
        }
        let all = [&b"\x82\x02hi\x82\x7e\x01\x2c"[..], &[7; 300]].concat().repeat(SLICES);
        let mut stream = Reluctant::default();
        for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::WriteZero] {
            stream.answers = vec![kind, io::ErrorKind::Interrupted];
            assert_eq!(queue.write_to(&mut stream).map_err(|error| error.kind()), Err(kind));
            assert_eq!(queue.len(), all.len());
        }
        queue.write_to(&mut stream).unwrap();
        assert!(queue.is_empty() && stream.written == all);
        stream.answers = vec![io::ErrorKind::WouldBlock];
        queue.write_to(&mut stream).expect("nothing to write");
    }

    #[test]
    fn a_reserved_header_is_filled_in_at_every_length() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            let payload = vec![3; len];
            let (mut filled, mut copied) = (SendQueue::new(), SendQueue::new());
            for mask in [None, Some(MaskKey::from(*b"key!"))] {
                let header = Header { mask, ..header(len) };
                copied.copy(&header, &payload, &mut Unpooled);
                let result: Result<usize, ()> = filled.fill(header, &mut Unpooled, |writer| {
                    writer.extend_from_slice(&payload);
                    Ok(())
                });
                assert_eq!(result, Ok(len));
            }
            assert_eq!((queued(&filled), filled.len()), (queued(&copied), copied.len()), "{len}");
        }
    }

    #[test]
    fn a_payload_whose_writer_fails_or_panics_leaves_nothing_behind() {
        let mut queue = SendQueue::new();
        queue.copy(&header(2), b"hi", &mut Unpooled);
        let failed = queue.fill(header(0), &mut Unpooled, |writer| {
            writer.extend_from_slice(b"half");
            Err("no")
        });
        assert_eq!(failed, Err("no"));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _: Result<usize, ()> = queue.fill(header(0), &mut Unpooled, |writer| {
                writer.extend_from_slice(b"half");
                panic!("in the middle")
            });
        }));
        assert!(panicked.is_err());
        assert_eq!((queued(&queue), queue.len()), (b"\x82\x02hi".to_vec(), 4));
    }

    #[derive(Default)]
    struct Counting(Vec<Vec<u8>>);

    impl Pool for Counting {
        fn take(&mut self) -> Vec<u8> {
            self.0.pop().unwrap_or_else(|| Vec::with_capacity(1 << 17))
        }

        fn give(&mut self, buffer: Vec<u8>) {
            self.0.push(buffer);
        }
    }

    #[test]
    fn an_idle_queue_owns_no_buffer_and_a_small_remainder_pins_none() {
        let (mut queue, mut pool) = (SendQueue::new(), Counting::default());
        queue.copy(&header(2), b"hi", &mut pool);
        queue.reference(&header(20_000), Bytes::from(vec![7; 20_000]), &mut pool);
        queue.advance(3);
        let before = queued(&queue);
        queue.park(&mut pool);
        assert_eq!(pool.0.len(), 1, "the pooled buffer is back");
        assert_eq!((queued(&queue), queue.len()), (before, 20_005));
        queue.advance(20_005);
        queue.park(&mut pool);
        assert_eq!((queue.buffer.capacity(), queue.by_ref.is_none()), (0, true));
    }

    /// Returns the buffer's capacity after a frame of `more` bytes was queued behind `queued` bytes, of which `written`
    /// are written.
    fn grown(queued: usize, written: usize, more: usize) -> usize {
        let (mut queue, mut pool) = (SendQueue::new(), Counting::default());
        queue.copy(&header(queued - 10), &vec![7; queued - 10], &mut pool);
        queue.advance(written);
        queue.copy(&header(more), &vec![7; more], &mut pool);
        queue.buffer.capacity()
    }

    #[test]
    fn the_written_front_is_used_again_where_at_least_as_much_was_written_as_is_left() {
        assert_eq!(grown(100_000, 50_000, 50_000), 1 << 17);
        assert_eq!(grown(100_000, 99_000, 50_000), 1 << 17);
        assert!(grown(100_000, 49_000, 50_000) > 1 << 17, "to move the rest would cost more");
    }

    #[derive(Clone, Debug)]
    enum Op {
        Copy(usize),
        Reference(usize, Option<[u8; 4]>),
        Write(usize),
        Park,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            5 => (0usize..300).prop_map(Op::Copy),
            5 => (0usize..300).prop_map(|len| Op::Reference(len, None)),
            1 => (0usize..3 * CHUNK, any::<[u8; 4]>())
                .prop_map(|(len, key)| Op::Reference(len, Some(key))),
            5 => (0usize..900).prop_map(Op::Write),
            4 => (0usize..2 * CHUNK).prop_map(Op::Write),
            5 => Just(Op::Park),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_queued_comes_out_once_and_in_order(ops in proptest::collection::vec(op(), 0..60)) {
            let (mut queue, mut pool) = (SendQueue::new(), Counting::default());
            let mut model: Vec<u8> = Vec::new();
            for (i, op) in ops.into_iter().enumerate() {
                let payload = |len| vec![i as u8; len];
                match op {
                    Op::Copy(len) => queue.copy(&header(len), &payload(len), &mut pool),
                    Op::Reference(len, mask) => {
                        let header = Header { mask: mask.map(MaskKey::from), ..header(len) };
                        queue.reference(&header, payload(len).into(), &mut pool);
                    }
                    Op::Write(most) => {
                        let front = queue.first_slice().len();
                        let ready = queued(&queue);
                        let written = most.min(if i % 2 == 0 { front } else { ready.len() });
                        prop_assert!(ready[..written] == model[..written]);
                        queue.advance(written);
                        model.drain(..written);
                    }
                    Op::Park => queue.park(&mut pool),
                }
                if let Op::Copy(len) | Op::Reference(len, _) = op {
                    let mask = if let Op::Reference(_, mask) = op { mask } else { None };
                    let (head, used) = Header { mask: mask.map(MaskKey::from), ..header(len) }.encode();
                    model.extend_from_slice(&head[..used]);
                    mask_extend(&mut model, &payload(len), mask.unwrap_or_default().into());
                }
                prop_assert_eq!(queue.len(), model.len());
                prop_assert_eq!(queue.is_empty(), queue.first_slice().is_empty());
            }
            let mut written = Vec::new();
            queue.write_to(&mut written).expect("a vector takes all");
            prop_assert!(written == model);
        }
    }
}
