//! How much to measure.

pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// For each server in each round.
    pub(crate) seconds: f64,
    /// The same where there are many: in the tables of clients, of large messages and of everything.
    pub(crate) brief: f64,
    /// Connections that wait.
    pub(crate) idle: usize,
    /// Connections that hold more, or get more.
    pub(crate) half_idle: usize,
    /// Connections of each node in a topic.
    pub(crate) members: usize,
}

impl Effort {
    pub(crate) const FULL: Self = Self {
        rounds: 7,
        seconds: 1.0,
        brief: 0.3,
        idle: 10_000,
        half_idle: 5_000,
        members: 2_000,
    };
    /// Enough to see that all works.
    pub(crate) const QUICK: Self =
        Self { rounds: 3, seconds: 0.2, brief: 0.1, idle: 1_000, half_idle: 500, members: 200 };
}
