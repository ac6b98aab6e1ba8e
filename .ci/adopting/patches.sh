# shellcheck shell=bash
# The patch of each crate, as edits of its own sources: one call of ws-mask, and less of what that replaces. Each function runs
# in the folder of the sources; what they depend on is added apart.

tungstenite_patch() {
  local file=src/protocol/frame/mask.rs
  without "$file" apply_mask_fast32
  for_tests "$file" apply_mask_fallback
  sed -i 's/apply_mask_fast32(buf, mask);/ws_mask::mask(buf, mask.into());/; s/apply_mask_fast32/apply_mask/' "$file"
}

soketto_patch() {
  body src/base.rs apply_mask $'\t\tif header.is_masked() {\n\t\t\tws_mask::mask(data, header.mask().to_be_bytes().into());\n\t\t}'
}

fastwebsockets_patch() {
  local file=src/mask.rs
  without "$file" unmask_easy unmask_fallback
  # A kernel that is commented out.
  sed -i '/^\/\/ TODO/,/^$/d' "$file"
  body "$file" unmask '  ws_mask::mask(payload, mask.into());'
}

tokio_websockets_patch() {
  local file=src/mask.rs
  without "$file" frame_avx512 frame_avx2 frame_sse2 frame_neon frame_altivec frame_s390x_vector frame_lasx_vector frame_lsx_vector fallback_frame
  for_tests "$file" rotate_mask one_byte_at_once
  sed -i '2,/^$/d; 1c //! Masking and unmasking of frames, by ws-mask.\n' "$file"
  sed -i '/^\/\/\/$/ { N; /fallback_frame/d; }' "$file"
  body "$file" frame '    *key = ws_mask::mask(input, (*key).into()).into();'
}

# without FILE FUNCTION...: takes functions out, with the lines above them up to a blank one.
without() {
  local function
  for function in "${@:2}"; do edit "$1" "$function" '' 'NR < head || NR > end'; done
}

# for_tests FILE FUNCTION...: compiles functions for tests only.
for_tests() {
  local function
  for function in "${@:2}"; do edit "$1" "$function" '' 'NR == begin { print indent "#[cfg(test)]" } 1'; done
}

# body FILE FUNCTION LINES: another body for a function.
body() {
  edit "$1" "$2" "$3" 'NR == end { print lines } NR <= begin || NR >= end'
}

# edit FILE FUNCTION LINES PROGRAM: runs an awk program over a file that is formatted by rustfmt. It knows the lines on which a
# function begins and ends, the blank one before its comments and attributes (head), its indentation, and LINES.
edit() {
  local head begin end indent place
  place=$(awk -v name="fn $2[(<]" '
    !begin && $0 ~ name && !/^[ \t]*\/\// { begin = NR; head = blank; match($0, /^[ \t]*/); indent = substr($0, 1, RLENGTH) }
    begin && !end && $0 == indent "}" { end = NR }
    /^$/ { blank = NR }
    END { if (end) print head + 0, begin, end, "." indent }' "$1")
  if [ -z "$place" ]; then echo "$1 has no function $2" >&2; return 1; fi
  IFS=' ' read -r head begin end indent <<<"$place"
  LINES_OF_BODY=$3 awk -v head="$head" -v begin="$begin" -v end="$end" -v indent="${indent#.}" \
    'BEGIN { lines = ENVIRON["LINES_OF_BODY"] }'"$4" "$1" >"$1.edited"
  mv "$1.edited" "$1"
}
