//! What operators come to the console for, from the sign-in to the entry in the audit trail, in a real browser with scripts
//! and without. Everything is found by what it is called; what came of it is asked over HTTP and of the books.

use std::time::Duration;

use tests::{home::Kind, on_both_databases};

mod calls;
mod job;
mod money;
mod partners;
mod people;
mod policy;
mod record;
mod selling;
mod world;

use self::{job::Job, world::World};

on_both_databases!(ten_jobs_are_done_in_ten_actions_each_with_scripts_and_without,);

/// No job takes more.
const ACTIONS_MAX: usize = 10;

/// What one job leaves for the next ones.
struct Story {
    /// A paid call of the publisher's tool.
    call: String,
    why_suspended: &'static str,
}

/// Something to be done, and by whom.
struct ToDo {
    what: &'static str,
    people: &'static [&'static str],
    work: fn(&Job<'_>, &mut Story),
}

/// In the order in which they are done.
const JOBS: &[ToDo] = &[
    ToDo {
        what: "Come in for the first time, enrol a second factor, ask for a colleague",
        people: &["Owner"],
        work: people::come_in,
    },
    ToDo {
        what: "Add a publisher and a priced tool, and see a call charged",
        people: &["Mara"],
        work: selling::add_a_publisher,
    },
    ToDo {
        what: "Schedule a price change, and see it take effect",
        people: &["Nils"],
        work: selling::schedule_a_price,
    },
    ToDo {
        what: "Add a partner with a limit and a key, and see the limit refuse",
        people: &["Olga"],
        work: partners::add_a_partner,
    },
    ToDo { what: "Find a failing call, and explain it", people: &["Pia"], work: calls::explain_a_failing_call },
    ToDo {
        what: "Give back a part of a charge, approved by a second operator",
        people: &["Quin", "Rosa"],
        work: money::refund_a_part,
    },
    ToDo {
        what: "Edit a policy, simulate it, publish it, and roll it back",
        people: &["Sven", "Tara"],
        work: policy::change_the_policy,
    },
    ToDo { what: "Close a period, and export it", people: &["Ulla"], work: money::close_a_period },
    ToDo {
        what: "Suspend a publisher, and see calls refused within a second",
        people: &["Vito"],
        work: selling::suspend_a_publisher,
    },
    ToDo { what: "Find one call by its identifier", people: &["Wera"], work: calls::find_a_call },
    ToDo { what: "Read in the audit trail what was just done", people: &["Xena"], work: people::read_the_trail },
];

/// What a job took.
struct Done {
    actions: Vec<String>,
    time: Duration,
}

fn do_all(kind: Kind, has_scripts: bool) -> Vec<Done> {
    let mut world = World::start(kind, has_scripts);
    let mut story = Story { call: String::new(), why_suspended: "Their contract has ended" };
    let mut done = Vec::new();
    for (number, to_do) in JOBS.iter().enumerate() {
        // The owner comes first.
        if number == 1 {
            world.invite_people();
        }
        let job = Job::begin(&world);
        (to_do.work)(&job, &mut story);
        let (actions, time) = job.end();
        assert!(actions.len() <= ACTIONS_MAX, "{} takes {} actions: {actions:#?}", to_do.what, actions.len());
        done.push(Done { actions, time });
    }
    done
}

fn ten_jobs_are_done_in_ten_actions_each_with_scripts_and_without(kind: Kind) {
    let (with, without) = std::thread::scope(|scope| {
        let with = scope.spawn(|| do_all(kind, true));
        let without = do_all(kind, false);
        (with.join().expect("the jobs with scripts are done"), without)
    });
    for (with, without) in with.iter().zip(&without) {
        assert_eq!(with.actions, without.actions, "the same is pressed with scripts and without");
    }
    if kind == Kind::Sqlite {
        record::compare(&with, &without);
    }
}
