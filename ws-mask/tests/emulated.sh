#!/bin/bash
# Runs the crate's tests on CPUs that this machine isn't, and those of ws-core (32 bits, big-endian) and ws-tokio (32 bits) where numbers differ.
# It exits with 1 where a test fails, a kernel is wrong, or wasn't exercised where it ought to be.
#
#   ws-mask/tests/emulated.sh [MACHINE...]      all machines, if none is named
#
#   aarch64   NEON; qemu            i686      32-bit x86; natively
#   s390x     big-endian; qemu      nehalem   an x86-64 without AVX2; qemu
#   avx512    a Bochs CPU without an operating system (tests/bare/)
#   wasm      WebAssembly with simd128 and without; Node (tests/bare/)
#
# The standard libraries of other architectures are those of Debian's Rust 1.85, unpacked (not installed) under target/emulated: so the
# runs hold the crate's rust-version too. (For WebAssembly it is 1.96, whose sources cargo can build.) Missing qemu, linkers and LLVMs are
# installed with apt-get where we are root.
# What this machine can't do is skipped with a loud message; EMULATED=required makes that a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly home=$PWD/target/emulated bochs=bochscpu-python==0.4.0
readonly packages=(qemu-user-static libllvm19 libllvm22 gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-i686-linux-gnu libc6-dev-i386-cross
  gcc-s390x-linux-gnu libc6-dev-s390x-cross)
status=0

main() {
  mkdir -p "$home"
  [ $# -gt 0 ] || set -- aarch64 i686 s390x nehalem avx512 wasm
  for machine in "$@"; do
    printf '== on %s\n' "$machine"
    case $machine in
      aarch64) foreign aarch64-unknown-linux-gnu aarch64-linux-gnu-gcc "neon words" qemu-aarch64-static -L /usr/aarch64-linux-gnu ;;
      s390x) foreign s390x-unknown-linux-gnu s390x-linux-gnu-gcc words qemu-s390x-static -L /usr/s390x-linux-gnu ;;
      i686) foreign i686-unknown-linux-gnu i686-linux-gnu-gcc "" \
        /usr/i686-linux-gnu/lib/ld-linux.so.2 --library-path /usr/i686-linux-gnu/lib ;;
      nehalem) nehalem ;;
      avx512) avx512 ;;
      wasm) wasm ;;
      *) printf 'unknown machine: %s\n' "$machine" >&2 && exit 2 ;;
    esac
  done
  exit $status
}

skip() { # WHY
  printf '\n*** SKIPPED: on %s: %s ***\n\n' "$machine" "$1" >&2
  [ "${EMULATED:-}" != required ] || status=1
}

wrong() {
  printf '\n*** FAILED: on %s ***\n\n' "$machine" >&2
  status=1
}

# --- the machines ---

foreign() { # TARGET LINKER KERNELS RUNNER...
  local target=$1 linker=$2 kernels=$3 upper settings
  shift 3
  need_packages && need_rust 1.85 arm64 i386 s390x || return 0
  upper=$(tr a-z- A-Z_ <<<"$target")
  settings=("RUSTC=$home/rust-1.85/rustc" "CARGO_TARGET_${upper}_LINKER=$linker" "CARGO_TARGET_${upper}_RUNNER=$*"
    "CC_${target//-/_}=$linker")
  tests "$target" "$kernels" "${settings[@]}"
  case $machine in
    i686)
      above ws-core "$target" "${settings[@]}" --lib --tests
      # Not those that look for files beside themselves, or bound what 64 bits take.
      above ws-tokio "$target" "${settings[@]}" --lib --test contract --test halves --test broadcast
      ;;
    s390x) above ws-core "$target" "${settings[@]}" --lib --tests ;;
  esac
}

nehalem() {
  need_packages || return 0
  tests x86_64-unknown-linux-gnu "sse2 words" "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER=qemu-x86_64-static -cpu Nehalem"
}

# KERNELS are those that must be there, no fewer and no more ('' where the host's CPU decides). Optimised: what users run, and faster.
tests() { # TARGET KERNELS VARIABLE=VALUE...
  local target=$1 kernels=$2
  shift 2
  env ${kernels:+"WS_MASK_KERNELS=$kernels"} RUST_BACKTRACE=0 "$@" \
    cargo test --locked -q -p ws-mask --target "$target" --target-dir "$home/target" \
    --config 'profile.dev.package.ws-mask.opt-level=3' --lib --tests -- --nocapture || wrong
}

# Somewhat optimised: else the laws take minutes under qemu.
above() { # CRATE TARGET RUSTC LINKER RUNNER CC TESTS...
  env RUST_BACKTRACE=0 "${@:3:4}" \
    cargo test --locked -q -p "$1" --features deflate,url --target "$2" --target-dir "$home/target" \
    --config 'profile.dev.package.ws-mask.opt-level=3' --config 'profile.dev.package.ws-core.opt-level=1' \
    --config 'profile.dev.package.zlib-rs.opt-level=1' "${@:7}" || wrong
}

avx512() {
  need_bochs || return 0
  bare "$home/bare" "$(command -v rustc)" \
    -C relocation-model=static -C link-args="-nostartfiles -nostdlib -static -no-pie" -o "$home/check" || { wrong; return; }
  expect "avx512 avx2 sse2 words" env "LD_PRELOAD=$home/glibc-2.38.so" "$home/venv/bin/python" ws-mask/tests/bare/bochs.py "$home/check"
}

wasm() {
  command -v node >/dev/null || { skip "no node"; return; }
  need_packages && need_rust 1.96 || return 0
  wasm_with -simd128 words
  wasm_with +simd128 "simd128 words"
}

wasm_with() { # FEATURE KERNELS
  local of=$home/wasm$1 lld deps
  lld=$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld
  deps=$of/wasm32-unknown-unknown/release/deps
  # Debian has no `core` for it: build one.
  RUSTC_BOOTSTRAP=1 RUSTFLAGS="-C target-feature=$1 -C panic=abort" \
    bare "$of" "$home/rust-1.96/rustc" --target wasm32-unknown-unknown -Zunstable-options --extern "noprelude:core=$deps/libcore-*.rlib" \
    --extern "noprelude:compiler_builtins=$deps/libcompiler_builtins-*.rlib" --crate-type cdylib -C "target-feature=$1" \
    -C "linker=$lld" -o "$of/check.wasm" || { wrong; return; }
  expect "$2" node -e '
    WebAssembly.instantiate(fs.readFileSync(process.argv[1])).then(({ instance }) => {
      const report = new Uint8Array(instance.exports.memory.buffer).subarray(instance.exports.check());
      console.log(Buffer.from(report.subarray(0, report.indexOf(0))).toString().trim());
    })' "$of/check.wasm"
}

# Builds tests/bare/check.rs; the crate first, into DIRECTORY.
bare() { # DIRECTORY RUSTC FLAGS...
  local of=$1 rustc=$2 target=() release
  shift 2
  release=$of/release
  if [ "$1" = --target ]; then
    target=(-Zbuild-std=core,alloc,panic_abort --target "$2")
    release=$of/$2/release
  fi
  RUSTC=$rustc cargo build --locked -q -p ws-mask --no-default-features --release --target-dir "$of" "${target[@]}" \
    --config 'profile.release.lto=false' || return
  local flags=()
  for flag in "$@"; do flags+=("$(newest "$flag")"); done
  "$rustc" --edition 2024 -O -C panic=abort -L "dependency=$release/deps" --extern "ws_mask=$release/libws_mask.rlib" "${flags[@]}" \
    ws-mask/tests/bare/check.rs
}

# A flag whose file name holds a `*`, with the name of the newest such file.
newest() {
  case $1 in
    *'*'*) printf '%s=%s' "${1%=/*}" "$(compgen -G "/${1#*=/}" | xargs ls -t | head -n 1)" ;;
    *) printf '%s' "$1" ;;
  esac
}

expect() { # REPORT COMMAND...
  local wanted=$1 report
  shift
  report=$("$@") || true
  printf 'kernels exercised on %s: %s\n' "$machine" "$report"
  [ "$report" = "$wanted" ] || wrong
}

# --- what they need: each of these succeeds, or skips the machine and fails ---

# What comes over the network fails now and then, and goes through when repeated.
twice() { "$@" || "$@"; }

need_packages() {
  [ "$(uname -sm)" = "Linux x86_64" ] && command -v apt-get >/dev/null || { skip "not an x86-64 Linux with apt-get"; return 1; }
  dpkg -s "${packages[@]}" >/dev/null 2>&1 && return
  [ "$(id -u)" = 0 ] || { skip "packages are missing, and only root can install them: ${packages[*]}"; return 1; }
  # The lock of .ci/packages.
  { flock 9 && apt-get -q update && DEBIAN_FRONTEND=noninteractive twice apt-get -q install -y --no-install-recommends "${packages[@]}"; } \
    9>target/packages.lock >"$home/apt.log" 2>&1 || { skip "apt-get install failed; see $home/apt.log"; return 1; }
}

need_rust() { # VERSION ARCH...
  local to=$home/rust-$1 version
  [ -e "$to/rustc" ] && return
  version=$(apt-cache madison rustc-web | awk -v v="$1" 'index($3, v) == 1 { print $3; exit }')
  [ -n "$version" ] || { skip "Debian's rustc-web $1 is not in reach"; return 1; }
  rm -rf "$to" && mkdir -p "$to/debs"
  (unpack_rust "$to" "$version" "$@") >"$to/log" 2>&1 || { skip "could not fetch Rust $1; see $to/log"; return 1; }
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s/usr/lib/x86_64-linux-gnu exec %s/usr/bin/rustc "$@"\n' "$to" "$to" >"$to/script"
  chmod +x "$to/script" && mv "$to/script" "$to/rustc"
}

unpack_rust() { # TO DEBIAN_VERSION VERSION ARCH...
  set -e
  local to=$1 version=$2 source=()
  cd "$to/debs"
  [ $# -gt 3 ] || source=("rust-web-src=$version") # no ready library: its sources
  twice apt-get -q download "rustc-web=$version" "libstd-rust-web-$3=$version" "libstd-rust-web-dev=$version" "${source[@]}"
  for arch in "${@:4}"; do fetch_std "$arch" "$version"; done
  for deb in *.deb; do dpkg -x "$deb" "$to"; done
  rm -rf "$to/debs"
}

# Another architecture's package, without telling this system's dpkg of that architecture.
fetch_std() { # ARCH VERSION
  local of=$PWD/apt-$1
  mkdir -p "$of/lists/partial" "$of/archives/partial"
  : >"$of/status"
  local apt=(apt-get -q -o "APT::Architecture=$1" -o "APT::Architectures::=$1" -o "Dir::State::lists=$of/lists"
    -o "Dir::State::status=$of/status" -o "Dir::Cache=$of")
  "${apt[@]}" update || true # its complaints about other architectures' lists do no harm
  twice "${apt[@]}" download "libstd-rust-web-dev:$1=$2"
}

need_bochs() {
  [ -e "$home/venv/complete" ] && return
  {
    python3 -m venv "$home/venv" && twice "$home/venv/bin/pip" install "$bochs" &&
      # The bindings were linked with glibc 2.38, whose names for these two older ones lack.
      cc -shared -fPIC -o "$home/glibc-2.38.so" -xc - <<'C'
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
unsigned long long __isoc23_strtoull(const char *s, char **end, int base) { return strtoull(s, end, base); }
int __isoc23_sscanf(const char *s, const char *format, ...) {
  va_list rest;
  va_start(rest, format);
  int n = vsscanf(s, format, rest);
  va_end(rest);
  return n;
}
C
  } >"$home/bochs.log" 2>&1 && touch "$home/venv/complete" || { skip "could not install $bochs; see $home/bochs.log"; return 1; }
}

main "$@"
