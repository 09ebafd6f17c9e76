//! What nodes say of themselves: descriptors that peers send, and those that charter entries quote.

use super::{ArriveError, Notice, Replica, Row, Rows, StorageError};
use crate::{
    charter::Entry,
    descriptor::{Descriptor, DescriptorOrder, order},
    sign::Verified,
};

impl Replica {
    /// Takes a verified descriptor.
    ///
    /// # Errors
    /// [`ArriveError`].
    pub fn take_descriptor(
        &mut self,
        rows: &impl Rows,
        descriptor: &Verified<Descriptor>,
    ) -> Result<(), ArriveError> {
        let node = descriptor.object.node;
        if node == self.own() {
            return Ok(());
        }
        let decision = match self.descriptor_of(rows, &node)? {
            None => DescriptorOrder::Newer,
            Some(held) => order(&held, descriptor),
        };
        match decision {
            DescriptorOrder::Newer => {
                self.may_describe(rows, descriptor)?;
                self.stage(Row::Descriptor(node), descriptor.bytes.clone());
                self.published.notices.push(Notice::Descriptor(node));
                Ok(())
            }
            DescriptorOrder::Same => Ok(()),
            DescriptorOrder::Older => Err(ArriveError::OlderDescriptor),
            DescriptorOrder::Conflict => Err(ArriveError::DescriptorConflict),
        }
    }

    /// Keeps the descriptors that an entry quotes, where they are newer than those held.
    pub(super) fn take_quoted(
        &mut self,
        rows: &impl Rows,
        entry: &Entry,
    ) -> Result<(), StorageError> {
        use crate::charter::Change::{Admit, Found, Replace};
        if let Replace { statements, .. } = &entry.change {
            self.take_quoted_statements(rows, statements)?;
        }
        if let Found { descriptor } | Admit { descriptor, .. } | Replace { descriptor, .. } =
            &entry.change
            && let Ok(descriptor) = Descriptor::verify(descriptor.0.clone())
        {
            match self.take_descriptor(rows, &descriptor) {
                Ok(()) | Err(ArriveError::OlderDescriptor) => {}
                Err(ArriveError::Storage(error)) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(())
    }
}
