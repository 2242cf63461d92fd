//! Whoever changes the database behind the program's back is found out, and what they did is called by its name.
