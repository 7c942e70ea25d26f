//! The values that atomics hold, as numbers.

/// A value that an atomic holds.
pub trait Word: Copy + PartialEq {
    /// Whether it may be an address, which differs from run to run.
    const MAY_BE_ADDRESS: bool = true;

    /// As a number.
    fn bits(self) -> u64;
    /// From [`bits`](Self::bits).
    fn from_bits(bits: u64) -> Self;
}

impl Word for u32 {
    const MAY_BE_ADDRESS: bool = false;

    fn bits(self) -> u64 {
        u64::from(self)
    }
    fn from_bits(bits: u64) -> Self {
        u32::try_from(bits).expect("came from a u32")
    }
}

impl Word for usize {
    fn bits(self) -> u64 {
        self as u64
    }
    fn from_bits(bits: u64) -> Self {
        usize::try_from(bits).expect("came from a usize")
    }
}

impl<P> Word for *mut P {
    fn bits(self) -> u64 {
        self.expose_provenance() as u64
    }
    fn from_bits(bits: u64) -> Self {
        std::ptr::with_exposed_provenance_mut(usize::try_from(bits).expect("came from a pointer"))
    }
}

macro_rules! integers {
    ($($integer:ty: $address:literal),+) => {
        $(impl Word for $integer {
            const MAY_BE_ADDRESS: bool = $address;

            fn bits(self) -> u64 {
                self as u64
            }
            fn from_bits(bits: u64) -> Self {
                bits as Self
            }
        })+
    };
}

integers!(u8: false, u16: false, u64: true, i8: false, i16: false, i32: false, i64: true, isize: true);

impl Word for bool {
    const MAY_BE_ADDRESS: bool = false;

    fn bits(self) -> u64 {
        u64::from(self)
    }
    fn from_bits(bits: u64) -> Self {
        bits != 0
    }
}
