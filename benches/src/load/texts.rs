//! Text of the kinds that are sent over WebSockets, made up, and the same in each run.

use ws_tokio::Message;

/// A kind of text.
pub struct Text {
    /// What the tables call it.
    pub name: &'static str,
    /// Appends one more record.
    record: fn(&mut String, &mut Chance),
}

/// The state of an order book: keys that repeat, numbers that don't.
pub const JSON: Text = Text { name: "JSON", record: order };

/// What people write to each other.
pub const CHAT: Text = Text { name: "chat", record: line };

/// Both kinds.
pub static TEXTS: [Text; 2] = [JSON, CHAT];

impl Text {
    /// So many different text messages of `size` bytes each: records one behind the other, cut to size.
    #[must_use]
    pub fn messages(&self, size: usize, count: usize) -> Vec<Message> {
        let mut chance = Chance(size as u64);
        let message = |_| {
            let mut text = String::new();
            while text.len() < size {
                (self.record)(&mut text, &mut chance);
            }
            // All records are ASCII.
            text.truncate(size);
            Message::from(text)
        };
        (0..count).map(message).collect()
    }
}

fn order(text: &mut String, chance: &mut Chance) {
    let id = chance.below(100_000_000);
    let symbol = chance.pick(&["BTC-EUR", "ETH-EUR", "EURUSD", "SOL-USD", "XAUUSD", "LTC-EUR"]);
    let side = chance.pick(&["buy", "sell"]);
    let price = format!("{}.{:02}", 100 + chance.below(90_000), chance.below(100));
    let quantity = format!("0.{:05}", chance.below(100_000));
    let millis = 1_760_000_000_000 + chance.below(10_000_000_000);
    text.push_str(&format!(
        r#"{{"id":{id},"symbol":"{symbol}","side":"{side}","price":"{price}","quantity":"{quantity}","time":{millis}}},"#
    ));
}

fn line(text: &mut String, chance: &mut Chance) {
    let who = chance.pick(&["ada", "grace", "linus", "barbara", "donald", "edsger"]);
    text.push_str(&format!("{:02}:{:02} <{who}> ", chance.below(24), chance.below(60)));
    for word in 0..4 + chance.below(14) {
        let separator = if word == 0 { "" } else { " " };
        text.push_str(separator);
        text.push_str(chance.pick(&WORDS));
    }
    text.push_str(chance.pick(&[".\n", "?\n", "!\n", " :)\n", "\n"]));
}

const WORDS: [&str; 96] = [
    "the",
    "a",
    "and",
    "or",
    "but",
    "so",
    "I",
    "you",
    "we",
    "they",
    "it",
    "that",
    "this",
    "there",
    "is",
    "was",
    "are",
    "were",
    "have",
    "had",
    "do",
    "did",
    "can",
    "could",
    "will",
    "would",
    "not",
    "never",
    "always",
    "maybe",
    "really",
    "just",
    "only",
    "still",
    "again",
    "now",
    "then",
    "today",
    "tomorrow",
    "yesterday",
    "morning",
    "evening",
    "week",
    "train",
    "meeting",
    "coffee",
    "lunch",
    "server",
    "release",
    "branch",
    "test",
    "build",
    "review",
    "merge",
    "deploy",
    "bug",
    "crash",
    "log",
    "message",
    "socket",
    "buffer",
    "thread",
    "lock",
    "query",
    "index",
    "cache",
    "memory",
    "think",
    "know",
    "see",
    "look",
    "find",
    "try",
    "fix",
    "break",
    "write",
    "read",
    "send",
    "wait",
    "stop",
    "start",
    "with",
    "without",
    "before",
    "after",
    "because",
    "about",
    "for",
    "from",
    "to",
    "in",
    "on",
    "at",
    "good",
    "great",
    "slow",
];

/// Numbers that look like chance (a linear congruence, the high half of it).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}
