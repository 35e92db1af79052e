//! Spans of time as a set: sorted, disjoint, never empty, half open. Instants are seconds since 1970, UTC.

/// The end of time, for what is not over yet.
pub const NEVER: i64 = i64::MAX;

/// From an instant up to, and without, another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first second that belongs to it.
    pub from: i64,
    /// The first second that does not.
    pub to: i64,
}

impl Span {
    /// The span between two instants; empty when they are not in order.
    #[must_use]
    pub const fn new(from: i64, to: i64) -> Self {
        Self { from, to }
    }

    /// How long it is, in seconds; an empty one is 0.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.to.saturating_sub(self.from).max(0)
    }

    /// Whether no second belongs to it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.to <= self.from
    }

    /// What belongs to both.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }
}

/// A set of spans.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spans(Vec<Span>);

impl Spans {
    /// All the seconds that belong to at least one of these.
    #[must_use]
    pub fn of(spans: impl IntoIterator<Item = Span>) -> Self {
        let mut sorted: Vec<Span> = spans.into_iter().filter(|span| !span.is_empty()).collect();
        sorted.sort_unstable();
        let mut merged: Vec<Span> = Vec::with_capacity(sorted.len());
        for span in sorted {
            match merged.last_mut() {
                Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
                _ => merged.push(span),
            }
        }
        Self(merged)
    }

    /// In order of time.
    #[must_use]
    pub fn as_slice(&self) -> &[Span] {
        &self.0
    }

    /// How long they are together, in seconds.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.0.iter().map(|span| span.seconds()).sum()
    }

    /// What belongs to either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::of(self.0.iter().chain(&other.0).copied())
    }

    /// What belongs to both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let (mut mine, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut both = Vec::new();
        while let (Some(one), Some(two)) = (mine.peek(), theirs.peek()) {
            let common = one.within(**two);
            if !common.is_empty() {
                both.push(common);
            }
            if one.to <= two.to {
                mine.next()
            } else {
                theirs.next()
            };
        }
        Self(both)
    }

    /// What belongs to this and not to the other.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        for span in &self.0 {
            let mut rest = *span;
            for hole in other.0.iter().filter(|hole| hole.to > span.from && hole.from < span.to) {
                left.push(Span::new(rest.from, hole.from));
                rest.from = rest.from.max(hole.to);
            }
            left.push(rest);
        }
        left.retain(|span| !span.is_empty());
        Self(left)
    }

    /// What of it lies in that span.
    #[must_use]
    pub fn clip(&self, span: Span) -> Self {
        self.intersect(&Self::of([span]))
    }
}
