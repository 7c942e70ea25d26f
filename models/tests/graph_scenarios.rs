//! Every scenario under graph: see `exhaustive/mod.rs` for what is asserted of each.

mod exhaustive;
mod outside;

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

#[test]
fn outside_of_an_exploration_every_operation_is_refused() {
    outside::check::<weakest::graph::Graph>("the graph explorer");
}
