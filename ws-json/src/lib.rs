//! Typed JSON messages over a `ws-tokio` connection. There is nothing here yet.
