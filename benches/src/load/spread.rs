//! How evenly something was spread over many connections.

/// Least, middle and most of what each got, and Jain's index of all: 1 if each got the same, 1/n if one of n got everything.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// Of the one that got least.
    pub least: u64,
    /// Of the one in the middle.
    pub middle: u64,
    /// Of the one that got most.
    pub most: u64,
    /// The square of the sum, over n times the sum of the squares.
    pub jain: f64,
}

impl Spread {
    /// Of what each of them got.
    #[must_use]
    pub fn of(each: &[u64]) -> Self {
        let mut sorted = each.to_vec();
        sorted.sort_unstable();
        let (Some(&least), Some(&most)) = (sorted.first(), sorted.last()) else {
            return Self::default();
        };
        let sum: f64 = each.iter().map(|&one| one as f64).sum();
        let squares: f64 = each.iter().map(|&one| (one as f64).powi(2)).sum();
        let jain = sum * sum / (squares * each.len() as f64);
        Self { least, middle: sorted[sorted.len() / 2], most, jain }
    }

    /// One line that [`parse`](Self::parse) reads.
    #[must_use]
    pub fn to_line(&self) -> String {
        let Self { least, middle, most, jain } = self;
        format!("{least} {middle} {most} {jain}")
    }

    /// Reads [`to_line`](Self::to_line).
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (least, middle, most) = (words.next()?, words.next()?, words.next()?);
        Some(Self {
            least: least.parse().ok()?,
            middle: middle.parse().ok()?,
            most: most.parse().ok()?,
            jain: words.next()?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn all_alike_is_1_and_one_of_four_with_everything_is_a_quarter() {
        assert_eq!(Spread::of(&[5; 4]), Spread { least: 5, middle: 5, most: 5, jain: 1.0 });
        let spread = Spread::of(&[0, 8, 0, 0]);
        assert_eq!(spread, Spread { least: 0, middle: 0, most: 8, jain: 0.25 });
        assert_eq!(Spread::parse(&spread.to_line()), Some(spread));
    }
}
