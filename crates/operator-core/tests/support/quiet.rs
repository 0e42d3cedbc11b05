//! What a subject of a test says where the test is not about it.

/// The parts of `Subject` that a quiet subject has nothing to say in; stores, metrics and parts are its own.
macro_rules! quiet {
    ($name:literal) => {
        fn name(&self) -> &str {
            $name
        }
        fn invariants(&self) -> Vec<Box<dyn operator_core::Invariant>> {
            Vec::new()
        }
        fn regions(&self) -> Option<&dyn operator_core::Regions> {
            None
        }
        fn actions(&self) -> operator_core::Actions<'_> {
            operator_core::Actions::none()
        }
    };
}
