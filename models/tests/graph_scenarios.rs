//! Every scenario under graph: see `exhaustive/mod.rs` for what is asserted of each.

mod exhaustive;

use exhaustive::holds;
use weakest::model::Explorer;

macro_rules! tests {
    ($($module:ident::$Scenario:ident = $name:ident,)*) => {
        $(
            #[test]
            fn $name() {
                holds(Explorer::Graph, stringify!($name));
            }
        )*
    };
}
rescind_models::scenarios!(tests);
