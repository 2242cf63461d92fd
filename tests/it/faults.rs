//! What goes wrong around the program: kills, power cuts, a database that is away. Always the real program, started as
//! a process, called over HTTP, in front of an upstream whose own log says what was executed.

mod database_away;
mod failpoints;
mod kills;
mod market;
mod places;
mod postgres_away;
mod postgres_killed;
mod power_cut;
mod races;
mod restart;
mod tie_out;
mod till;
mod trace;
mod two_servers;
