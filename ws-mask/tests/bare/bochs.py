"""Runs a static x86-64 executable on a Bochs CPU that has AVX-512, and prints the report it leaves behind.

    bochs.py EXECUTABLE

The executable's `_start` is entered in ring 0 of long mode and ends with `hlt`, `rax` pointing to its report.
"""

import ctypes
import os
import struct
import sys

import bochscpu
import bochscpu.cpu
import bochscpu.memory

PAGE = bochscpu.memory.page_size()
STACK_TOP, STACK_PAGES = 0x7000_0000, 64
TABLES = 0x4000_0000  # physical address of the page tables
WRITABLE = 1

SSE_IN_CR4 = 1 << 9 | 1 << 10 | 1 << 18  # OSFXSR, OSXMMEXCPT, OSXSAVE
ZMM_IN_XCR0 = 0b1110_0111


def segments(elf: bytes):
    """Yields (address, bytes, size in memory) of what is to be loaded."""
    offset, size, count = struct.unpack_from("<Q", elf, 32)[0], *struct.unpack_from("<HH", elf, 54)
    for at in range(offset, offset + count * size, size):
        kind, _, start, address, _, in_file, in_memory, _ = struct.unpack_from("<IIQQQQQQ", elf, at)
        if kind == 1:
            yield address, elf[start : start + in_file], in_memory


def load(elf: bytes):
    """Maps the executable and a stack, each virtual address to the same physical one; returns the page tables, to be kept."""
    pages = {STACK_TOP - (i + 1) * PAGE: bytearray(PAGE) for i in range(STACK_PAGES)}
    for address, content, size in segments(elf):
        for i in range(size):
            page = pages.setdefault((address + i) & -PAGE, bytearray(PAGE))
            page[(address + i) % PAGE] = content[i] if i < len(content) else 0
    tables = bochscpu.memory.PageMapLevel4Table()
    for address, content in pages.items():
        host = bochscpu.memory.allocate_host_page()
        ctypes.memmove(host, bytes(content), PAGE)
        bochscpu.memory.page_insert(address, host)
        tables.insert(address, address, WRITABLE)
    for host, physical in tables.commit(TABLES):
        bochscpu.memory.page_insert(physical, host)
    return tables


def segment(flags: int):
    of = bochscpu.Segment()
    of.present, of.selector, of.base, of.limit, of.attr = True, 0x10, 0, 0xFFFF_FFFF, flags
    return of


def in_long_mode(state, entry: int):
    bochscpu.cpu.set_long_mode(state)
    state.cr4 |= SSE_IN_CR4
    state.xcr0 = ZMM_IN_XCR0
    state.cr3, state.rip, state.rsp, state.rflags = TABLES, entry, STACK_TOP - 64, 2
    state.cs = segment(0xA09B)
    state.ss = state.ds = state.es = state.fs = state.gs = segment(0xC093)
    return state


def main():
    elf = open(sys.argv[1], "rb").read()
    session = bochscpu.Session()
    cpu = session.cpu

    def fail(*what):
        print("FAILED: the emulated CPU stopped:", what, hex(cpu.rip), file=sys.stderr)
        session.stop()

    session.missing_page_handler = lambda address: fail("no page at", hex(address))
    tables = load(elf)
    cpu.set_state(in_long_mode(cpu.state, struct.unpack_from("<Q", elf, 24)[0]))
    hook = bochscpu.Hook()
    hook.exception = lambda _, number, vector, code: fail("exception", vector, code)
    hook.hlt = lambda _, number: session.stop()
    session.run([hook])
    address, report = cpu.rax, b""
    while address and not report.endswith(b"\0"):
        report += bytes(bochscpu.memory.virt_read(TABLES, address + len(report), 1))
    print(report.rstrip(b" \0").decode() or "FAILED", flush=True)
    os._exit(0)  # the bindings don't survive an orderly end


main()
