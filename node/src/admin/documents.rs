//! Files through the socket, part by part.

use data_encoding::BASE64;
use maillon_protocol::{
    admin::{Answer, Call, ErrorCode},
    attachment::Named,
};

use super::errors::Refusal;
use crate::{care::Actor, daemon::Node};

/// Answers the calls about documents.
pub(super) async fn answer(node: &Node, actor: &Actor, call: Call) -> Result<Answer, Refusal> {
    let care = &node.care;
    Ok(match call {
        Call::DocumentAdd {
            circle,
            title,
            media_type,
            name,
            length,
        } => {
            let circle = node.circle_named(&circle)?;
            let named = Named { media_type, name };
            Answer::Upload(care.begin_document(actor, circle, title, named, length)?)
        }
        Call::DocumentPart {
            upload,
            offset,
            bytes,
        } => {
            let bytes = BASE64.decode(bytes.as_bytes()).map_err(|_| {
                Refusal::new(
                    ErrorCode::BadRequest,
                    "the part's bytes are not base64",
                    "use maillonctl document add",
                )
            })?;
            Answer::Upload(care.add_part(actor, upload, offset, &bytes)?)
        }
        Call::DocumentEnd { upload } => {
            let (circle, written) = care.end_document(actor, upload).await?;
            node.written(circle, written)
        }
        Call::DocumentShow { record } => {
            Answer::Document(care.document(&node.record_named(&record)?)?)
        }
        Call::DocumentRead { record, file, from } => {
            let file = usize::try_from(file).unwrap_or(usize::MAX);
            let record = node.record_named(&record)?;
            Answer::DocumentBytes(care.read_document(&record, file, from)?)
        }
        _ => {
            return Err(Refusal::new(
                ErrorCode::Internal,
                "the call is about no document",
                "report this with the request's id",
            ));
        }
    })
}
