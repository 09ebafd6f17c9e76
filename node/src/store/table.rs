//! The tables.

/// A table: one column family of RocksDB. Their number and names are part of the database's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Table {
    /// What the node knows about itself: versions of views, marks, settings.
    Meta,
    /// Circles and their charters.
    Circles,
    /// Entries of the circles' membership chains.
    Entries,
    /// Records, in the order of their logs.
    Records,
    /// From a record's id to its place.
    Ids,
    /// The things that records are about.
    Things,
    /// A dossier's events, in the order of time.
    Timeline,
    /// What was sent to and received from whom.
    Exchange,
    /// The nodes that this one is paired with.
    Peers,
    /// Invitations that were made or received.
    Invitations,
    /// The professionals of this structure, as records name them.
    People,
    /// Documents as they were received.
    Originals,
    /// Attachments, in pieces.
    Blobs,
    /// What waits to leave.
    Outbox,
    /// Who did what, when.
    Audit,
    /// Who may sign in, who has, and what each may do. Since version 2 of the database.
    Access,
}

impl Table {
    /// Every table, in the order of their declaration.
    pub const ALL: [Table; 16] = [
        Table::Meta,
        Table::Circles,
        Table::Entries,
        Table::Records,
        Table::Ids,
        Table::Things,
        Table::Timeline,
        Table::Exchange,
        Table::Peers,
        Table::Invitations,
        Table::People,
        Table::Originals,
        Table::Blobs,
        Table::Outbox,
        Table::Audit,
        Table::Access,
    ];

    /// Whether its rows are up to a mebibyte large.
    pub(super) const fn is_large(self) -> bool {
        matches!(self, Self::Blobs | Self::Originals)
    }

    /// The column family's name, which is also part of what each sealed value is bound to.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Table::Meta => "meta",
            Table::Circles => "circles",
            Table::Entries => "entries",
            Table::Records => "records",
            Table::Ids => "ids",
            Table::Things => "things",
            Table::Timeline => "timeline",
            Table::Exchange => "exchange",
            Table::Peers => "peers",
            Table::Invitations => "invitations",
            Table::People => "people",
            Table::Originals => "originals",
            Table::Blobs => "blobs",
            Table::Outbox => "outbox",
            Table::Audit => "audit",
            Table::Access => "access",
        }
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
