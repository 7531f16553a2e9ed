//! The pages where people join and leave, without a sign-in: the mark in the path is what opens, and it opens this alone.

use askama::Template;
use axum::extract::{Path, State};
use relais_service::{Failure, Text};
use serde::Deserialize;

use crate::kit::{Complaints, Form, Frame, Guest, Oops, Routes, again, shown};
use crate::panel::sign_in::Nothing;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::LIST_LEAVE, leave_form)
        .post(path::LIST_LEAVE, leave)
        .get(path::LIST_JOIN, join_form)
        .post(path::LIST_JOIN, join)
        .get(path::LIST_CONFIRM, confirm_form)
        .post(path::LIST_CONFIRM, confirm)
}

#[derive(Debug, Template)]
#[template(path = "panel/lists/leave.html")]
struct LeavePage {
    frame: Frame,
    /// Who leaves what, in a sentence; none: there is nothing to leave.
    asks: Option<String>,
    here: String,
    has_left: bool,
}

async fn leave_form(guest: Guest, State(web): State<Web>, Path(mark): Path<String>) -> Oops {
    let frame = guest.frame(&web);
    let leaving = web.service().lists.leaving(&mark).await?;
    let asks = leaving.map(|leaving| {
        frame.tell(&Text::new("mlist-leave-asks").with("list", leaving.list).with("member", leaving.member))
    });
    Ok(shown(&LeavePage { here: path::of("/lists/leave", &mark), asks, has_left: false, frame }))
}

/// RFC 8058 §3.2: what mail programs post has no session and no token; the mark in the path is what opens, and it opens this alone.
async fn leave(guest: Guest, State(web): State<Web>, Path(mark): Path<String>) -> Oops {
    web.service().lists.leave(&mark).await?;
    Ok(shown(&LeavePage { here: String::new(), asks: None, has_left: true, frame: guest.frame(&web) }))
}

#[derive(Debug, Template)]
#[template(path = "panel/lists/join.html")]
struct JoinPage {
    frame: Frame,
    complaints: Complaints,
    here: String,
    address: String,
    title: String,
    member: String,
    leaves: bool,
    /// The address is written to, if that is of use.
    has_asked: bool,
}

impl JoinPage {
    async fn of(guest: &Guest, web: &Web, list: &str) -> Result<Self, Failure> {
        let absent = || Failure::Absent(Text::new("mlist-join-absent"));
        let found = web.service().lists.open_list(list).await?.ok_or_else(absent)?;
        Ok(Self {
            frame: guest.frame(web),
            complaints: Complaints::default(),
            here: path::of("/lists/join", &found.address),
            address: found.address,
            title: found.title,
            member: String::new(),
            leaves: false,
            has_asked: false,
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct JoinForm {
    address: String,
    /// `join` or `leave`.
    act: String,
}

async fn join_form(guest: Guest, State(web): State<Web>, Path(list): Path<String>) -> Oops {
    Ok(shown(&JoinPage::of(&guest, &web, &list).await?))
}

/// Says the same whether the address is a member or not.
async fn join(guest: Guest, State(web): State<Web>, Path(list): Path<String>, Form(form): Form<JoinForm>) -> Oops {
    let leaves = form.act == "leave";
    let page = JoinPage { leaves, ..JoinPage::of(&guest, &web, &list).await? };
    match web.service().lists.ask(&list, &form.address, !leaves).await {
        Ok(()) => Ok(shown(&JoinPage { has_asked: true, member: form.address, ..page })),
        Err(failure @ Failure::Unfit(_)) => {
            let complaints = Complaints::of(&page.frame, failure)?;
            Ok(again(&JoinPage { complaints, member: form.address, ..page }))
        }
        Err(failure) => Err(failure.into()),
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/lists/confirm.html")]
struct ConfirmPage {
    frame: Frame,
    /// What is confirmed, in a sentence; none: nothing is.
    asks: Option<String>,
    here: String,
    is_done: bool,
}

type ConfirmPath = Path<(String, String, String)>;

async fn confirm_form(guest: Guest, State(web): State<Web>, Path((list, mark, member)): ConfirmPath) -> Oops {
    let frame = guest.frame(&web);
    let found = web.service().lists.confirming(&list, &mark, &member).await?;
    let asks = found.map(|found| {
        let id = if found.joins { "mlist-confirm-joins" } else { "mlist-leave-asks" };
        frame.tell(&Text::new(id).with("list", found.list).with("member", found.member))
    });
    let here = path::of(&path::of(&path::of("/lists/confirm", &list), &mark), &member);
    Ok(shown(&ConfirmPage { frame, asks, here, is_done: false }))
}

/// The mark in the path is what opens, and it opens this alone; programs that look at links before people do only look.
async fn confirm(
    guest: Guest,
    State(web): State<Web>,
    Path((list, mark, member)): ConfirmPath,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    let is_done = web.service().lists.confirm(&list, &mark, &member).await?;
    Ok(shown(&ConfirmPage { frame: guest.frame(&web), asks: None, here: String::new(), is_done }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn leaving_is_drawn() {
        draw(|frame| {
            let page = |asks: Option<&str>, has_left| LeavePage {
                frame: frame.clone(),
                asks: asks.map(str::to_owned),
                here: "/lists/leave/1-x".to_owned(),
                has_left,
            };
            vec![page(Some("Leave?"), false), page(None, false), page(None, true)]
        });
    }
}
