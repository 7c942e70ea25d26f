//! Cases of the peers' suites that cannot be written in Rust: each is a program that does not compile.
//!
//! Each module is named after its case, and its documentation holds the program.

/// After the source is disposed, its token is refused; so it can be neither hashed nor compared.
///
/// ```compile_fail,E0382
/// let source = rescind::CancellationTokenSource::new();
/// let token = source.token();
/// drop(source);
/// let _ = source.token() == token;
/// ```
pub mod n008_the_token_of_a_disposed_source_is_not_compared {}

/// After the source is disposed, its token is refused.
///
/// ```compile_fail,E0382
/// let source = rescind::CancellationTokenSource::new();
/// drop(source);
/// let _ = source.token();
/// ```
pub mod n013_a_disposed_source_gives_no_token {}

/// A source without a state, which a move leaves behind, cannot be used; there is no other way to have one.
///
/// ```compile_fail,E0382
/// let source = rescind::CancellationTokenSource::new();
/// let moved = source;
/// let _ = source.token().can_be_cancelled();
/// ```
pub mod f014_there_is_no_invalid_source {}

/// A source without a state, which a move leaves behind, cannot make a request.
///
/// ```compile_fail,E0382
/// let source = rescind::CancellationTokenSource::new();
/// let moved = source;
/// assert!(!source.cancel());
/// ```
pub mod s010_a_source_without_state_makes_no_request {}

/// A registration cannot be copied. (It can be moved: the callback stays where it is.)
///
/// ```compile_fail,E0599
/// let source = rescind::CancellationTokenSource::new();
/// let registration = source.token().register(|| ());
/// let copy = registration.clone();
/// ```
pub mod s021_a_registration_is_not_copied {}

/// A source that was moved from cannot be asked.
///
/// ```compile_fail,E0382
/// let source = rescind::CancellationTokenSource::new();
/// let moved = source;
/// moved.cancel();
/// assert!(!source.is_cancelled());
/// ```
pub mod s027_a_source_that_was_moved_from_is_not_used {}

/// A callback must be callable.
///
/// ```compile_fail,E0277
/// let source = rescind::CancellationTokenSource::new();
/// let registration = source.token().register(5);
/// ```
pub mod s041_a_callback_is_callable {}
