//! A mail to oneself, to see whether mail arrives.

use actix_web::web::Payload;
use engine::{policy::console::ConsoleAction, service::outbox::ChangeMailError};

use super::{LIST, href};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Form, Page, Text},
    text::{t, t_with},
};

fn page(visit: &Visit, typed: &Fields, problems: &Problems) -> Page {
    let form = Form::new(format!("{LIST}/test"), t("mail-test"))
        .once(visit)
        .step_up(visit, ConsoleAction::MailTest)
        .cancel(LIST)
        .filled(typed, problems);
    let text = t_with("mail-test-text", &[("email", visit.email().into())]);
    Page::new(t("mail-test")).under(t("mail-title"), LIST).with(Text::new(text)).with(form)
}

pub(super) async fn ask(visit: Visit) -> Answer {
    visit.show(page(&visit, &Fields::default(), &Problems::default())).await
}

pub(super) async fn send(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    let key = problems.key(&fields);
    visit.permit(ConsoleAction::MailTest, None, &fields, &mut problems).await?;
    if !problems.is_empty() {
        return visit.show_refused(page(&visit, &fields, &problems)).await;
    }
    let (by, me) = (visit.context()?, visit.signed_in()?.operator.id);
    match visit.services().send_test_mail(&by, me, &key).await {
        // The same form again: it is on its way already.
        Ok(sent) => visit.go(&sent.map_or_else(|| LIST.to_owned(), href), &t("mail-test-sent")).await,
        Err(ChangeMailError::Store(error)) => Err(error.into()),
        Err(ChangeMailError::NotFound) => Err(Fault::NotFound),
        Err(error) => Err(Fault::Broken(error.to_string())),
    }
}
