//! Is everything well?

use relais_service::Overview;

use super::kit::{Answer, Caller, Operations, Read, Seen, group, least};

pub(super) fn operations(operations: Operations) -> Operations {
    operations.get(
        "/overview",
        show,
        "Whether all is well, and if not, why; the mail of the last day, the queue, what is stored",
    )
}

async fn show(caller: Caller<least::HelpDesk, Read<group::System>>) -> Answer<Seen<Overview>> {
    Ok(Seen(caller.web.service().overview(&caller.actor).await?))
}
