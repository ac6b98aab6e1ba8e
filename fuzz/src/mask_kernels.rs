//! Every kernel that the CPU has masks as byte by byte does, at any alignment and length, however it is cut.

use std::mem::MaybeUninit;

use ws_mask::{MaskKey, available, mask_extend};

/// Any bytes, any key, any alignment, any cut.
pub fn mask_kernels(data: &[u8]) {
    let Some((&[a, b, c, d, align, cut], payload)) = data.split_first_chunk() else { return };
    let key = MaskKey::from([a, b, c, d]);
    let masked: Vec<u8> =
        payload.iter().zip([a, b, c, d].iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    let ascii = masked.is_ascii();
    let end = key.advance(payload.len());
    let (before, cut) = (usize::from(align % 64), usize::from(cut).min(payload.len()));
    for kernel in available() {
        let mut arena = [&vec![0; before][..], payload].concat();
        let place = &mut arena[before..];
        let middle = kernel.mask(&mut place[..cut], key);
        assert_eq!(kernel.mask(&mut place[cut..], middle), end, "{}", kernel.name());
        assert_eq!(place, masked, "{} in place, in two parts", kernel.name());

        place.copy_from_slice(payload);
        assert_eq!(kernel.mask_ascii(place, key), (end, ascii), "{}", kernel.name());
        assert_eq!(place, masked, "{} with a look", kernel.name());

        let mut copy = vec![MaybeUninit::uninit(); before + payload.len()];
        let (copied, next) = kernel.mask_copy(payload, &mut copy[before..], key);
        assert_eq!((&*copied, next), (&masked[..], end), "{} by copy", kernel.name());

        let mut arena = [&vec![0; before][..], payload].concat();
        let source = before..arena.len();
        assert_eq!(kernel.mask_within(&mut arena, source, 0, key), end, "{}", kernel.name());
        assert_eq!(arena[..payload.len()], masked, "{} on the way to the front", kernel.name());
    }
    let mut appended = vec![7];
    assert_eq!(mask_extend(&mut appended, payload, key), end);
    assert_eq!(appended[1..], masked);
}
