use super::*;

#[test]
fn every_mutant_has_its_place_and_its_test() {
    let mutants = list_mutants();
    assert!(mutants.len() >= 40, "only {} mutants are listed", mutants.len());
    for mutant in mutants {
        let text = workspace::read(&mutant.file);
        assert_eq!(text.matches(&mutant.from).count(), 1, "{}: {}", mutant.name, mutant.from);
        assert_ne!(mutant.from, mutant.to, "{}", mutant.name);
        let (place, test) = Place::of(&mutant.test);
        let folder = match place {
            Place::Engine => "engine/src",
            Place::Integration => "tests/it",
            Place::Policies => "policies/tests/it",
        };
        let (module, test) = test.rsplit_once("::").unwrap();
        // What runs on both databases stands in a module that a macro makes.
        let module = ["::sqlite", "::postgres"].iter().find_map(|kind| module.strip_suffix(kind)).unwrap_or(module);
        let file = format!("{folder}/{}.rs", module.replace("::", "/"));
        assert!(workspace::read(&file).contains(&format!("fn {test}(")), "{file} has no test `{test}`");
    }
}
