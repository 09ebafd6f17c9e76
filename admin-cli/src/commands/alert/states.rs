//! Where an alert stands, in lines for a terminal.

use maillon_protocol::admin::{AlertView, AnswerView};

use crate::terminal::{View, text, words};

/// A professional and their structure; the structure alone where they are not known.
pub(in crate::commands) fn somebody(name: &str, structure: &str) -> String {
    if name.is_empty() {
        format!("somebody of {}", text::line(structure))
    } else {
        format!("{} of {}", text::line(name), text::line(structure))
    }
}

/// Where it stands, who must answer until when, and each structure with whoever answered there.
pub(in crate::commands) fn lines(view: &View, alert: &AlertView, indent: &str) -> String {
    let mut shown = format!(
        "{indent}Alert ({}): {}\n",
        words::plain(&alert.severity),
        stands(view, alert)
    );
    const ALL: &str = "every structure but the sender's";
    let names = alert.addressees.iter().map(|(_, name)| text::line(name));
    let names = names.collect::<Vec<_>>().join(", ");
    let must = if alert.left {
        format!("{ALL} ({names} left the circle)")
    } else if names.is_empty() {
        ALL.to_owned()
    } else {
        names
    };
    let until = alert.answer_by_ms.map_or_else(
        || "no deadline".to_owned(),
        |until| format!("deadline {}", view.clock.when(until)),
    );
    shown += &format!("{indent}  Must answer: {must}; {until}\n");
    for (node, structure, delivery) in &alert.structures {
        let answered = alert
            .answers
            .iter()
            .filter(|answer| answer.node == *node && !answer.by.is_empty())
            .min_by_key(|answer| (std::cmp::Reverse(answer.step), answer.at_ms));
        let by = answered.map_or_else(String::new, |answer| {
            format!(" by {}", text::line(&answer.by))
        });
        shown += &format!(
            "{indent}  {}: {}{by}\n",
            text::line(structure),
            words::delivery(view, delivery)
        );
    }
    // The sender's own structure, and those that have left the circle.
    for answer in &alert.answers {
        if alert
            .structures
            .iter()
            .all(|(node, ..)| *node != answer.node)
        {
            shown += &format!("{indent}  {}\n", said(view, answer));
        }
    }
    shown
}

/// Every answer, with its words.
pub(in crate::commands) fn answers(view: &View, alert: &AlertView) -> String {
    let mut shown = String::new();
    for answer in &alert.answers {
        shown += &format!(
            "\n{} {}\n",
            words::short(&answer.record),
            said(view, answer)
        );
        if !answer.comment.is_empty() {
            shown += &format!("{}\n", text::paragraph(&answer.comment, "  │ "));
        }
    }
    if alert.more > 0 {
        shown += &format!(
            "\n{}: maillonctl circle show CIRCLE\n",
            words::count(alert.more, "more answer")
        );
    }
    shown
}

fn said(view: &View, answer: &AnswerView) -> String {
    format!(
        "{} {} by {}",
        words::step(answer.step),
        view.clock.when(answer.at_ms),
        somebody(&answer.by, &answer.structure)
    )
}

fn stands(view: &View, alert: &AlertView) -> String {
    let mut shown = match alert.step {
        None => "not answered yet".to_owned(),
        Some(step) if alert.open => {
            format!("{}, by nobody who must answer", words::step(step))
        }
        Some(step) => words::step(step).to_owned(),
    };
    if alert.is_overdue(view.clock.now_ms()) {
        shown += ", OVERDUE";
    }
    shown
}
