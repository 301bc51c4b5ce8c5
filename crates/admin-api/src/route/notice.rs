//! `POST /admin/notices`: something that everybody is to know.

use crate::{
    State,
    ask::ask,
    audit::{Audited, Deed, Intent, perform},
    auth::AsAdmin,
    openapi::{BadRequest, NoToken, NotNow, NothingThere, TooLarge},
};
use actix_web::{HttpResponse, web};
use engine::{control::Task, port::Address};
use protocol::{
    admin::{Accepted, AuditAction, NewNotice, TEXT_MAX},
    event::{Notice, ServerEvent},
};
use runtime::http::Problem;
use serde_json::{Value, json};

/// Send a notice
///
/// To everybody who is connected, or to the members of one room. Nobody gets it later.
#[utoipa::path(
    post,
    path = "/admin/notices",
    operation_id = "adminNotice",
    tag = "admin",
    request_body(content = NewNotice, example = json!({"text": "Back in five minutes", "level": "warning"})),
    responses(
        (status = 202, description = "It is on its way.", body = Accepted, example = json!({
            "message": "The notice goes to everybody", "unconfirmed": [],
        })),
        (status = 400, response = BadRequest),
        (status = 401, response = NoToken),
        (status = 404, response = NothingThere),
        (status = 413, response = TooLarge),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn notice(
    state: web::Data<State>,
    AsAdmin(admin, notice): AsAdmin<web::Json<NewNotice>>,
) -> Result<Audited, Problem> {
    let NewNotice { text, level, room_id } = notice.into_inner();
    let target = room_id.map_or_else(|| "everybody".to_owned(), |room| format!("room {room}"));
    let intent = Intent { action: AuditAction::NoticeSend, target: target.clone(), reason: None };
    perform(state, admin, intent, move |state| async move {
        checked(&text)?;
        let after = json!({"text": text, "level": level});
        let task = match room_id {
            Some(room) => {
                ask(state.ports.directory.room(room, 1)).await?;
                let event: ServerEvent = Notice { text, level }.into();
                ask(state.ports.bus.publish(room, None, event.encode().into())).await?;
                Task::Hear
            }
            None => Task::Notice { text, level },
        };
        let unconfirmed = ask(state.desk.ask(state.entropy.uuid(), Address::Everyone, task)).await?.unconfirmed;
        let message = format!("The notice goes to {target}");
        Ok(Deed {
            confirmed: unconfirmed.is_empty(),
            before: Value::Null,
            after,
            detail: message.clone(),
            answer: HttpResponse::Accepted().json(Accepted { message, unconfirmed }),
        })
    })
    .await
}

fn checked(text: &str) -> Result<(), Problem> {
    if !(1..=TEXT_MAX).contains(&text.chars().count()) {
        return Err(Problem::bad_request(format!("text must have 1 to {TEXT_MAX} characters")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Problem::bad_request("text must not have control characters other than line feed"));
    }
    Ok(())
}
