//! How functions are exported: in both precisions, with a status as the result.

/// Defines two exported functions, for `f64` and for `f32`, with these arguments. Both return the status of the call, in
/// which `T` is the element type.
macro_rules! exported {
    ($double:ident, $single:ident: $arguments:tt => $call:expr) => {
        $crate::export::exported!(f64, $double, $arguments, $call);
        $crate::export::exported!(f32, $single, $arguments, $call);
    };
    ($t:ty, $name:ident, ($($argument:ident: $type:ty),* $(,)?), $call:expr) => {
        const _: () = {
            type T = $t;

            /// See `recfact.h`.
            ///
            /// # Safety
            /// See `recfact.h`.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name($($argument: $type),*) -> std::ffi::c_int {
                // SAFETY: the caller's promise.
                $crate::status::Status::code(unsafe { $call })
            }
        };
    };
}

pub(crate) use exported;
