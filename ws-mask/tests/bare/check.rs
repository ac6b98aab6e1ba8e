//! Every kernel against masking byte by byte, without an operating system: for emulators of CPUs that bring none.
//!
//! `check` returns a NUL-terminated report: the names of the kernels that passed, then `FAILED`, unless all did.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;
use core::panic::PanicInfo;

use ws_mask::{Kernel, MaskKey, available};

const KEY: MaskKey = MaskKey::new([0x37, 0xfa, 0x21, 0x3d]);
const GUARD: u8 = 0xa5;
const MARGIN: usize = 64;
const LONGEST: usize = 1100;

struct Arena {
    data: [u8; LONGEST],
    masked: [u8; LONGEST],
    bytes: [u8; LONGEST + 2 * MARGIN + 128],
}

#[unsafe(no_mangle)]
pub extern "C" fn check() -> *const u8 {
    static mut REPORT: [u8; 256] = [0; 256];
    // SAFETY: called once, by one thread.
    let report = unsafe { &mut *(&raw mut REPORT) };
    let mut arena =
        Arena { data: [0; LONGEST], masked: [0; LONGEST], bytes: [0; LONGEST + 2 * MARGIN + 128] };
    let mut written = 0;
    for kernel in available() {
        let verdict = if passes(kernel, &mut arena) { kernel.name() } else { "FAILED" };
        for byte in verdict.bytes().chain([b' ']) {
            report[written] = byte;
            written += 1;
        }
    }
    report.as_ptr()
}

/// All alignments at each length; the phase of the key turns with the length.
fn passes(kernel: &Kernel, arena: &mut Arena) -> bool {
    for (i, byte) in arena.data.iter_mut().enumerate() {
        *byte = ((i as u32).wrapping_mul(0x9e37_79b1) >> 24) as u8;
    }
    (0..=520).chain(LONGEST - 70..=LONGEST).all(|len| {
        let key = KEY.advance(len / 4 + len);
        for (i, (masked, byte)) in arena.masked.iter_mut().zip(&arena.data).enumerate() {
            *masked = byte ^ key.to_bytes()[i % 4];
        }
        (0..64).all(|align| masks(kernel, arena, len, align, key))
    })
}

/// The four functions, at one length, alignment and phase.
fn masks(kernel: &Kernel, arena: &mut Arena, len: usize, align: usize, key: MaskKey) -> bool {
    let Arena { data, masked, bytes } = arena;
    let (data, masked) = (&data[..len], &masked[..len]);
    let from = MARGIN + align + 64 - bytes.as_ptr() as usize % 64;
    let all = &mut bytes[from - MARGIN..from + len + MARGIN];
    let intact = |all: &[u8]| {
        let guards = all[..MARGIN].iter().chain(&all[MARGIN + len..]);
        all[MARGIN..MARGIN + len] == *masked && guards.fold(true, |ok, byte| ok & (*byte == GUARD))
    };
    let next = key.advance(len);

    all.fill(GUARD);
    all[MARGIN..][..len].copy_from_slice(data);
    let in_place = kernel.mask(&mut all[MARGIN..][..len], key) == next && intact(all);

    all[MARGIN..][..len].copy_from_slice(data);
    let answer = kernel.mask_ascii(&mut all[MARGIN..][..len], key);
    let ascii = answer == (next, masked.is_ascii()) && intact(all);

    all.fill(GUARD);
    let to = &raw mut all[MARGIN..][..len];
    // SAFETY: the same layout; `mask_copy` writes initialised bytes only.
    let (_, copied) = kernel.mask_copy(data, unsafe { &mut *(to as *mut [MaybeUninit<u8>]) }, key);
    let by_copy = copied == next && intact(all);

    let gap = align % 15;
    all.fill(GUARD);
    all[MARGIN + gap..][..len].copy_from_slice(data);
    let moved = kernel.mask_within(all, MARGIN + gap..MARGIN + gap + len, MARGIN, key);
    all[MARGIN + len..].fill(GUARD);
    in_place && ascii && by_copy && moved == next && intact(all)
}

#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    halt()
}

/// The end of the run: without a report in `rax`, unless `check` has just returned.
fn halt() -> ! {
    loop {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the emulator stops here.
        unsafe {
            core::arch::asm!("xor eax, eax", "hlt")
        };
    }
}

#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(".globl _start", "_start:", "and rsp, -16", "call check", "hlt");

/// What the compiler or the precompiled `core` asks for, and nothing else here provides.
#[cfg(target_arch = "x86_64")]
mod runtime {
    use core::arch::asm;

    #[unsafe(no_mangle)]
    extern "C" fn rust_eh_personality() {}

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcpy(dst: *mut u8, src: *const u8, len: usize) -> *mut u8 {
        // SAFETY: our caller's promise.
        unsafe {
            asm!("rep movsb", inout("rcx") len => _, inout("rdi") dst => _, inout("rsi") src => _)
        };
        dst
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memset(dst: *mut u8, byte: i32, len: usize) -> *mut u8 {
        // SAFETY: our caller's promise.
        unsafe {
            asm!("rep stosb", inout("rcx") len => _, inout("rdi") dst => _, in("al") byte as u8)
        };
        dst
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, len: usize) -> i32 {
        let differ: u8;
        // SAFETY: our caller's promise; `cmp` first, for a length of 0.
        unsafe {
            asm!("cmp al, al", "repe cmpsb", "setne al", inout("rcx") len => _, inout("rsi") left => _,
                inout("rdi") right => _, out("al") differ)
        };
        i32::from(differ)
    }
}
