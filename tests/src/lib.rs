//! Everything that needs a whole Maillon node or several: the parts that scenarios share.

pub mod skip;
pub mod wire;
